"""How landmarks are given, for `likeness register --help`; apart, so that help needs nothing installed."""

FORMAT = """\
Landmarks lie beside each scan under its name: head.obj has head.json, head.txt, head.csv, head.pts or head.npy (or
head_landmarks.json and so on). They are the 68 iBUG points in order, or some of them by number (0 to 67, from the
subject's right) or name, at least five that are not on one line:
  .json  {"30": [x, y, z], "right.eye.corner_outer": [x, y, z]}, or {"30": 1234} with a vertex's number, or a list of
         68 of either, or [{"id": "center.nose.tip", "coordinates": [x, y, z]}] as Scalismo writes it
  .txt .csv .pts   one point a line, x y z, 68 lines; or number or name first: 30 x y z
  .npy   (68,3) positions or (68,) vertex numbers
Positions are in the mesh's own coordinates and unit."""
