"""German."""

from __future__ import annotations

GERMAN = {
    "A reconstruction is already running; wait for it or cancel it.": (
        "Eine Rekonstruktion läuft schon; warten Sie darauf oder brechen Sie sie ab."
    ),
    "Add Expression Preset": "Ausdruck-Vorlage hinzufügen",
    "Add Face Preset": "Gesicht-Vorlage hinzufügen",
    "Add a Subdivision modifier that works in renders; the viewport stays quick": (
        "Einen Unterteilungs-Modifikator hinzufügen, der beim Rendern wirkt; die Ansicht bleibt schnell"
    ),
    "Add the camera that took the photo, with the photo behind it": (
        "Die Kamera hinzufügen, die das Foto aufgenommen hat, mit dem Foto dahinter"
    ),
    "All photos show the same person: make one head with a camera and an expression for each photo": (
        "Alle Fotos zeigen dieselbe Person: einen Kopf mit einer Kamera und einem Ausdruck je Foto erstellen"
    ),
    "Amount": "Stärke",
    "Apply Modifiers": "Modifikatoren anwenden",
    "Apply Preset": "Vorlage anwenden",
    "Apply the modifiers that are switched on in the viewport, to the mesh and to every expression": (
        "Die in der Ansicht eingeschalteten Modifikatoren anwenden, auf das Netz und auf jeden Ausdruck"
    ),
    "As in Photo": "Wie im Foto",
    "Asking the backend": "Frage das Backend",
    "Average": "Durchschnitt",
    "Average Person": "Durchschnittsmensch",
    "Backend Python": "Python des Backends",
    "Box": "Rahmen",
    "Bring the sliders back to a starting point": "Die Regler auf einen Ausgangspunkt zurückstellen",
    "Brows": "Brauen",
    "Building the head": "Erstelle den Kopf",
    "Bundle Folder": "Modellordner",
    "Camera": "Kamera",
    "Cancel": "Abbrechen",
    "Cancelling": "Wird abgebrochen",
    "Cheeks and Nose": "Wangen und Nase",
    "Choose Face": "Gesicht wählen",
    "Choose a photo first: open one in the panel's image field.": (
        "Wählen Sie zuerst ein Foto: Öffnen Sie eines im Bildfeld der Palette."
    ),
    "Clear": "Leeren",
    "Clearly this person: the face differs from the average far more than it is uncertain": (
        "Deutlich diese Person: Das Gesicht weicht viel weiter vom Durchschnitt ab, als es unsicher ist"
    ),
    "Click a face, or drag a box around one from the brows to the chin": (
        "Ein Gesicht anklicken oder einen Rahmen darum ziehen, von den Brauen bis zum Kinn"
    ),
    "Click a face, or drag a box from the brows to the chin  |  Esc: Cancel": (
        "Gesicht anklicken oder Rahmen von den Brauen bis zum Kinn ziehen  |  Esc: Abbrechen"
    ),
    "Colour the head by how sure the method is of each part: blue is sure, red is a guess; again to go back": (
        "Den Kopf danach färben, wie sicher sich das Verfahren bei jedem Teil ist: Blau ist sicher, Rot geraten; "
        "nochmals für zurück"
    ),
    "Components": "Komponenten",
    "Copy Diagnostics": "Diagnose kopieren",
    "Copy Face": "Gesicht kopieren",
    "Copy identity and expression to the clipboard, as text that can be kept or sent": (
        "Identität und Ausdruck in die Zwischenablage kopieren, als Text zum Aufbewahren oder Verschicken"
    ),
    "Copy versions, device and the last error to the clipboard, to send to somebody who helps; without your paths": (
        "Versionen, Gerät und letzten Fehler in die Zwischenablage kopieren, für jemanden, der hilft; ohne Ihre Pfade"
    ),
    "End the backend's process and free its memory; the next reconstruction starts it again": (
        "Den Prozess des Backends beenden und seinen Speicher freigeben; die nächste Rekonstruktion startet ihn wieder"
    ),
    "Even": "Gleichmäßig",
    "Export": "Export",
    "Export Copy": "Kopie exportieren",
    "Export Copy...": "Kopie exportieren ...",
    "Export MakeHuman Target": "MakeHuman-Target exportieren",
    "Expression": "Ausdruck",
    "Expression Presets": "Ausdruck-Vorlagen",
    "Expressions that were kept, and some that come with Likeness": (
        "Aufbewahrte Ausdrücke und einige, die Likeness mitbringt"
    ),
    "Eyes": "Augen",
    "FBX (.fbx)": "FBX (.fbx)",
    "Face": "Gesicht",
    "Face Box": "Gesichtsrahmen",
    "Face Presets": "Gesicht-Vorlagen",
    "Failed": "Gescheitert",
    "File": "Datei",
    "Files": "Dateien",
    "Folder": "Ordner",
    "Folder of the model bundle to use; empty for the one that comes with Likeness": (
        "Ordner des Modells, das benutzt wird; leer für das mitgelieferte"
    ),
    "For Apple's AR Quick Look": "Für AR Quick Look von Apple",
    "For Godot, Unity with a glTF importer, the web, and most other programs": (
        "Für Godot, Unity mit einem glTF-Importer, das Web und die meisten anderen Programme"
    ),
    "For Omniverse, Houdini and Maya": "Für Omniverse, Houdini und Maya",
    "For Unity, Unreal Engine and Maya": "Für Unity, Unreal Engine und Maya",
    "Format": "Format",
    "From Photo": "Aus dem Foto",
    "Give the head the face of a random person; the next click takes the next number": (
        "Dem Kopf das Gesicht eines zufälligen Menschen geben; der nächste Klick nimmt die nächste Zahl"
    ),
    "Give the head the face that is in the clipboard": "Dem Kopf das Gesicht aus der Zwischenablage geben",
    "Give the head this face or expression": "Dem Kopf dieses Gesicht oder diesen Ausdruck geben",
    "Give the skin the wrinkles and folds that the photo shows, as a normal map": (
        "Der Haut die Falten und Furchen geben, die das Foto zeigt, als Normalen-Map"
    ),
    "HEIC images cannot be read; export the photo as JPEG and use that.": (
        "HEIC-Bilder können nicht gelesen werden; exportieren Sie das Foto als JPEG und nehmen Sie dieses."
    ),
    "Hardly personal: the photo says little beyond the average face": (
        "Kaum persönlich: Das Foto sagt wenig über das Durchschnittsgesicht hinaus"
    ),
    "Head": "Kopf",
    "Head made by Likeness": "Kopf, mit Likeness erstellt",
    "Heads are written to files that end in {known}, not {found}.": (
        "Köpfe werden in Dateien mit den Endungen {known} geschrieben, nicht {found}."
    ),
    "How far from the average: 1 for people as they are, less for plainer ones": (
        "Wie weit vom Durchschnitt: 1 für Menschen, wie sie sind, weniger für unauffälligere"
    ),
    "How much of this the face has, in standard deviations from the average person; the learned components "
    "move together so that the face stays plausible and the other sliders stay where they are. To animate it, "
    "key the components": (
        "Wie viel das Gesicht davon hat, in Standardabweichungen vom Durchschnittsmenschen; die gelernten "
        "Komponenten bewegen sich gemeinsam, sodass das Gesicht glaubhaft bleibt und die anderen Regler stehen "
        "bleiben. Zum Animieren die Komponenten keyen"
    ),
    "Identity": "Identität",
    "Image": "Bild",
    "Insert keyframes for all sliders of the face at the current frame": (
        "Keyframes für alle Regler des Gesichts beim aktuellen Frame einfügen"
    ),
    "Jaw and Tongue": "Kiefer und Zunge",
    "Keep Identity Sliders": "Regler der Identität behalten",
    "Keep the expression under a name, or remove the one that is shown": (
        "Den Ausdruck unter einem Namen aufbewahren oder den angezeigten entfernen"
    ),
    "Keep the identity under a name, or remove the one that is shown": (
        "Die Identität unter einem Namen aufbewahren oder die angezeigte entfernen"
    ),
    "Keep the learned components as keys instead of baking them into the mesh": (
        "Die gelernten Komponenten als Keys behalten, statt sie ins Netz zu backen"
    ),
    "Key Components": "Komponenten keyen",
    "Key Expression": "Ausdruck keyen",
    "Key Face": "Gesicht keyen",
    "Kind of file": "Art der Datei",
    "Last Error": "Letzter Fehler",
    "Leave the scene's light as it is": "Das Licht der Szene lassen, wie es ist",
    "Leave {mode} first: heads are added in Object Mode.": "Verlassen Sie zuerst {mode}: Köpfe werden im "
    "Objektmodus hinzugefügt.",
    "Left, top, width and height in pixels": "Links, oben, Breite und Höhe in Pixeln",
    "Light": "Licht",
    "Light to add with the head": "Licht, das mit dem Kopf hinzugefügt wird",
    "Likeness speaks protocol {ours} and the backend protocol {theirs}; install the same version of both.": (
        "Likeness spricht Protokoll {ours} und das Backend Protokoll {theirs}; installieren Sie von beiden "
        "dieselbe Version."
    ),
    "Look through the camera that took the photo, with the photo behind the head and its expression on the face": (
        "Durch die Kamera schauen, die das Foto aufgenommen hat, mit dem Foto hinter dem Kopf und dessen "
        "Ausdruck im Gesicht"
    ),
    "Looking for faces": "Suche Gesichter",
    "Make an editable 3D head from the photo of a face": "Aus dem Foto eines Gesichts einen bearbeitbaren 3D-Kopf "
    "erstellen",
    "Make heads from several photos, or from all photos in a folder": (
        "Aus mehreren Fotos oder aus allen Fotos eines Ordners Köpfe erstellen"
    ),
    "MakeHuman Target...": "MakeHuman-Target ...",
    "Mark as Asset": "Als Asset markieren",
    "Megabytes that the backend uses": "Megabyte, die das Backend benutzt",
    "Memory": "Speicher",
    "Memory: {megabytes} MB": "Speicher: {megabytes} MB",
    "Menu": "Menü",
    "Message": "Meldung",
    "Mirror": "Spiegeln",
    "Mirror Face": "Gesicht spiegeln",
    "Mouth": "Mund",
    "Name of the image datablock to use in place of the panel's image": (
        "Name des Bild-Datenblocks, der statt des Bildes der Palette benutzt wird"
    ),
    "Name of the photo's camera; empty for the head's first": (
        "Name der Kamera des Fotos; leer für die erste des Kopfes"
    ),
    "Neutral": "Neutral",
    "No expression at all": "Gar kein Ausdruck",
    "No face was found; use a photo in which one face is sharp, well lit and at least a fifth of its height.": (
        "Es wurde kein Gesicht gefunden; nehmen Sie ein Foto, in dem ein Gesicht scharf, gut beleuchtet und "
        "mindestens ein Fünftel so hoch wie das Foto ist."
    ),
    "No object stands out from the background; use a picture of one object, whole, before a plain background.": (
        "Kein Gegenstand hebt sich vom Hintergrund ab; nehmen Sie ein Bild eines ganzen Gegenstands vor "
        "einfarbigem Hintergrund."
    ),
    "None": "Keines",
    "None of the {count} photos became a head; the first: {reason}": (
        "Aus keinem der {count} Fotos wurde ein Kopf; das erste: {reason}"
    ),
    "Number of the face where the photo shows several, the largest and surest first": (
        "Nummer des Gesichts, wo das Foto mehrere zeigt, das größte und sicherste zuerst"
    ),
    "Number that the last random face was drawn from; the same number gives the same face": (
        "Zahl, aus der das letzte zufällige Gesicht gezogen wurde; dieselbe Zahl ergibt dasselbe Gesicht"
    ),
    "OBJ (.obj)": "OBJ (.obj)",
    "One even colour, estimated from the photo": "Eine gleichmäßige Farbe, aus dem Foto geschätzt",
    "One Person": "Eine Person",
    "Open Folder": "Ordner öffnen",
    "Open a photo in the panel's image field first": "Öffnen Sie zuerst ein Foto im Bildfeld der Palette",
    "Options": "Optionen",
    "Part": "Teil",
    "Partly this person: much of the face may be the average's": (
        "Teilweise diese Person: Vieles am Gesicht kann das des Durchschnitts sein"
    ),
    "Paste Face": "Gesicht einfügen",
    "Paste Photo": "Foto einfügen",
    "Photo": "Foto",
    "Photo Camera": "Kamera des Fotos",
    "Photo file to use in place of the panel's image": "Fotodatei, die statt des Bildes der Palette benutzt wird",
    "Photo Size": "Größe des Fotos",
    "Photo of one face, to make a head from": "Foto eines Gesichts, aus dem ein Kopf erstellt wird",
    "Photo's Expression": "Ausdruck des Fotos",
    "Pick Face": "Gesicht auswählen",
    "Pictures can be pasted in Blender's window alone": "Bilder können nur im Fenster von Blender eingefügt werden",
    "Progress": "Fortschritt",
    "Provider": "Gerät",
    "Provider: {provider}": "Gerät: {provider}",
    "Put the head into the asset browser, with a preview, its method and its licences": (
        "Den Kopf in den Asset-Browser aufnehmen, mit einer Vorschau, seinem Verfahren und seinen Lizenzen"
    ),
    "Python has no onnxruntime here; install `likeness[cpu]` or `likeness[gpu]`.": (
        "Python hat hier kein onnxruntime; installieren Sie `likeness[cpu]` oder `likeness[gpu]`."
    ),
    "Python in which likeness[gpu] is installed; empty for Blender's own Python, on the processor": (
        "Python, in dem likeness[gpu] installiert ist; leer für das Python von Blender, auf dem Prozessor"
    ),
    "Randomise": "Zufall",
    "Randomise Face": "Zufälliges Gesicht",
    "Reading the model": "Lese das Modell",
    "Recognisably this person, with details that may be the average's": (
        "Erkennbar diese Person, mit Einzelheiten, die vom Durchschnitt stammen können"
    ),
    "Reconstruct Head": "Kopf rekonstruieren",
    "Photo, 1024": "Foto, 1024",
    "Photo, 2048": "Foto, 2048",
    "Photo, 4096": "Foto, 4096",
    "Reconstruct from Image": "Aus Bild rekonstruieren",
    "Reconstruct from Photos": "Aus Fotos rekonstruieren",
    "Reconstructing the face": "Rekonstruiere das Gesicht",
    "Remove": "Entfernen",
    "Reset Face": "Gesicht zurücksetzen",
    "Restore Slider Ranges": "Reglerbereiche wiederherstellen",
    "Results": "Ergebnisse",
    "Running": "Läuft",
    "Runs on: {provider}": "Läuft auf: {provider}",
    "Seed": "Zufallszahl",
    "Select a head made by Likeness first.": "Wählen Sie zuerst einen Kopf aus, den Likeness erstellt hat.",
    "Select an imported head with ARKit shape keys first": "Wählen Sie zuerst einen importierten Kopf mit "
    "ARKit-Shape-Keys aus",
    "Set the sliders of an imported head right: 0 to 1 for expressions, -3 to 3 for the learned components": (
        "Die Regler eines importierten Kopfes richtigstellen: 0 bis 1 für Ausdrücke, -3 bis 3 für die gelernten "
        "Komponenten"
    ),
    "Several Photos": "Mehrere Fotos",
    "Several Photos...": "Mehrere Fotos ...",
    "Show Uncertainty": "Unsicherheit zeigen",
    "Show the folder of the model in the system's file browser": (
        "Den Ordner des Modells im Dateibrowser des Systems zeigen"
    ),
    "Show the photo with the faces found in it: click one, or drag a box where a face was not found": (
        "Das Foto mit den gefundenen Gesichtern zeigen: eines anklicken, oder einen Rahmen ziehen, wo ein "
        "Gesicht nicht gefunden wurde"
    ),
    "Skin": "Haut",
    "Slider": "Regler",
    "Smooth": "Glatt",
    "Smooth Renders": "Glatt rendern",
    "Stage": "Schritt",
    "Start the backend and ask it how it is": "Das Backend starten und fragen, wie es ihm geht",
    "Starting": "Beginne",
    "Starting the backend": "Starte das Backend",
    "Stop": "Beenden",
    "Stop what the backend is working on": "Abbrechen, woran das Backend arbeitet",
    "Studio": "Studio",
    "Swap the left and the right side of the face, identity and expression": (
        "Die linke und die rechte Seite des Gesichts vertauschen, Identität und Ausdruck"
    ),
    "Take the picture in the clipboard as the photo": "Das Bild in der Zwischenablage als Foto nehmen",
    "Test": "Testen",
    "Text": "Text",
    "A face as text, in place of the clipboard's": "Ein Gesicht als Text, statt dessen in der Zwischenablage",
    "The 52 ARKit expressions": "Die 52 Ausdrücke von ARKit",
    "The backend did not start ({reason}); try again, or reinstall Likeness.": (
        "Das Backend ist nicht gestartet ({reason}); versuchen Sie es noch einmal, oder installieren Sie Likeness neu."
    ),
    "The backend does not run": "Das Backend läuft nicht",
    "The backend gave no answer within {seconds} s; try again with a smaller photo.": (
        "Das Backend hat in {seconds} s nicht geantwortet; versuchen Sie es mit einem kleineren Foto noch einmal."
    ),
    "The backend has no {verb} {path}; install the same version of Likeness everywhere.": (
        "Das Backend hat kein {verb} {path}; installieren Sie überall dieselbe Version von Likeness."
    ),
    "The backend met an error of its own ({reason}); try another photo and report this one.": (
        "Im Backend ist ein Fehler aufgetreten ({reason}); versuchen Sie ein anderes Foto und melden Sie dieses."
    ),
    "The backend speaks protocol {ours} (Likeness {version}) and the request protocol {theirs}; install the "
    "same version of both.": (
        "Das Backend spricht Protokoll {ours} (Likeness {version}) und die Anfrage Protokoll {theirs}; "
        "installieren Sie von beiden dieselbe Version."
    ),
    "The backend stopped while it worked on the photo; try again.": (
        "Das Backend ist abgebrochen, während es am Foto arbeitete; versuchen Sie es noch einmal."
    ),
    "The backend uses another model bundle than Blender; choose one bundle folder in Likeness' preferences and "
    "try again.": (
        "Das Backend benutzt ein anderes Modell als Blender; wählen Sie in den Einstellungen von Likeness einen "
        "Modellordner und versuchen Sie es noch einmal."
    ),
    "The backend works: {provider}, model {bundle}": "Das Backend arbeitet: {provider}, Modell {bundle}",
    "The backend's Python {name} cannot be started ({reason}); correct it in Likeness' preferences.": (
        "Das Python des Backends {name} lässt sich nicht starten ({reason}); berichtigen Sie es in den "
        "Einstellungen von Likeness."
    ),
    "The backend's answer could not be understood ({reason}); reinstall Likeness so that its parts match.": (
        "Die Antwort des Backends war nicht zu verstehen ({reason}); installieren Sie Likeness neu, damit seine "
        "Teile zusammenpassen."
    ),
    "The box lies outside the picture; draw it around the face, from the brows to the chin.": (
        "Der Rahmen liegt außerhalb des Bildes; ziehen Sie ihn um das Gesicht, von den Brauen bis zum Kinn."
    ),
    "The bundle folder {folder} lacks {name}; reinstall Likeness, or choose another bundle folder.": (
        "Im Modellordner {folder} fehlt {name}; installieren Sie Likeness neu, oder wählen Sie einen anderen "
        "Modellordner."
    ),
    "The bundle has format {found} and this version of Likeness reads {known}; update Likeness, or choose "
    "another bundle folder.": (
        "Das Modell hat das Format {found}, und diese Version von Likeness liest {known}; aktualisieren Sie "
        "Likeness, oder wählen Sie einen anderen Modellordner."
    ),
    "The bundle has no method {method}; choose {known}.": "Das Modell hat kein Verfahren {method}; wählen Sie {known}.",
    "The bundle's file {name} is damaged ({reason}); reinstall Likeness, or choose another bundle folder.": (
        "Die Datei {name} des Modells ist beschädigt ({reason}); installieren Sie Likeness neu, oder wählen Sie "
        "einen anderen Modellordner."
    ),
    "The clipboard holds no face; copy one with Copy Face first.": (
        "Die Zwischenablage enthält kein Gesicht; kopieren Sie zuerst eines mit „Gesicht kopieren“."
    ),
    "The clipboard holds no picture; copy a photo in another program first.": (
        "Die Zwischenablage enthält kein Bild; kopieren Sie zuerst ein Foto in einem anderen Programm."
    ),
    "The clipboard's text is not a whole face ({reason}); copy it again with Copy Face.": (
        "Der Text in der Zwischenablage ist kein ganzes Gesicht ({reason}); kopieren Sie es noch einmal mit "
        "„Gesicht kopieren“."
    ),
    "The diagnostics are in the clipboard": "Die Diagnose ist in der Zwischenablage",
    "The expression as text, which presets keep": "Der Ausdruck als Text, den Vorlagen aufbewahren",
    "The expression that was recovered from the photo": "Der Ausdruck, der aus dem Foto gewonnen wurde",
    "The face in the clipboard was made with the model {theirs} and this head with {ours}; only its expression "
    "can be pasted.": (
        "Das Gesicht in der Zwischenablage wurde mit dem Modell {theirs} erstellt und dieser Kopf mit {ours}; "
        "nur sein Ausdruck kann eingefügt werden."
    ),
    "The face is in the clipboard": "Das Gesicht ist in der Zwischenablage",
    "The face localiser {name} is missing or damaged; reinstall Likeness.": (
        "Der Gesichtsfinder {name} fehlt oder ist beschädigt; installieren Sie Likeness neu."
    ),
    "The file is larger than {limit} MB; save a smaller copy and use that.": (
        "Die Datei ist größer als {limit} MB; speichern Sie eine kleinere Kopie und nehmen Sie diese."
    ),
    "The file to write": "Die Datei, die geschrieben wird",
    "The file {name} is empty; choose another photo.": "Die Datei {name} ist leer; wählen Sie ein anderes Foto.",
    "The folder {name} holds no photos; choose one with JPEG, PNG, WebP or TIFF files.": (
        "Der Ordner {name} enthält keine Fotos; wählen Sie einen mit JPEG-, PNG-, WebP- oder TIFF-Dateien."
    ),
    "The head could not be written to {name} ({reason}); choose a folder that can be written to.": (
        "Der Kopf konnte nicht nach {name} geschrieben werden ({reason}); wählen Sie einen Ordner, in den "
        "geschrieben werden kann."
    ),
    "The identity as text, which presets keep": "Die Identität als Text, den Vorlagen aufbewahren",
    "The identity that was recovered from the photo": "Die Identität, die aus dem Foto gewonnen wurde",
    "The image has {count} face(s) and face {face} was asked for; choose 0 to {last}.": (
        "Das Bild hat {count} Gesicht(er), und Gesicht {face} war verlangt; wählen Sie 0 bis {last}."
    ),
    "The image has {width} x {height} pixels, more than can be decoded safely; save a copy with at most "
    "{limit} pixels a side and use that.": (
        "Das Bild hat {width} x {height} Pixel, mehr als sicher gelesen werden können; speichern Sie eine Kopie "
        "mit höchstens {limit} Pixeln je Seite und nehmen Sie diese."
    ),
    "The image is damaged or cut off; open it elsewhere, save it again, and use that.": (
        "Das Bild ist beschädigt oder abgeschnitten; öffnen Sie es anderswo, speichern Sie es neu und nehmen Sie "
        "dieses."
    ),
    "The image is empty (0 bytes); choose another file.": "Das Bild ist leer (0 Byte); wählen Sie eine andere Datei.",
    "The image {name} holds no pixels; save it to a file, or choose another image.": (
        "Das Bild {name} enthält keine Pixel; speichern Sie es in eine Datei, oder wählen Sie ein anderes Bild."
    ),
    "The learned components, which the named sliders move": (
        "Die gelernten Komponenten, die von den benannten Reglern bewegt werden"
    ),
    "The light that the photo was taken in, as the scene's world, where it is estimated": (
        "Das Licht, in dem das Foto aufgenommen wurde, als Welt der Szene, wo es geschätzt wird"
    ),
    "The mean of the population": "Der Mittelwert der Bevölkerung",
    "The menu that it was chosen from": "Das Menü, aus dem sie gewählt wurde",
    "The method that made this head does not say how sure it is": (
        "Das Verfahren, das diesen Kopf erstellt hat, sagt nicht, wie sicher es sich ist"
    ),
    "The model bundle has format {found} and this version of Likeness reads {known}; update Likeness, or "
    "choose another bundle folder in its preferences.": (
        "Das Modell hat das Format {found}, und diese Version von Likeness liest {known}; aktualisieren Sie "
        "Likeness, oder wählen Sie in seinen Einstellungen einen anderen Modellordner."
    ),
    "The model bundle lacks {name} in {folder}; reinstall Likeness, or choose another bundle folder in its "
    "preferences.": (
        "Dem Modell fehlt {name} in {folder}; installieren Sie Likeness neu, oder wählen Sie in seinen "
        "Einstellungen einen anderen Modellordner."
    ),
    "The model bundle's file {name} is damaged; reinstall Likeness, or choose another bundle folder in its "
    "preferences.": (
        "Die Datei {name} des Modells ist beschädigt; installieren Sie Likeness neu, oder wählen Sie in seinen "
        "Einstellungen einen anderen Modellordner."
    ),
    "The model that comes with Likeness is in use": "Das mitgelieferte Modell ist in Gebrauch",
    "The modifier {name} gives the keys different numbers of vertices; switch it off in the viewport and "
    "export again.": (
        "Der Modifikator {name} gibt den Keys verschieden viele Vertices; schalten Sie ihn in der Ansicht aus "
        "und exportieren Sie noch einmal."
    ),
    "The network could not be run ({reason}); try again, and choose the CPU backend if this happens again.": (
        "Das Netz ließ sich nicht ausführen ({reason}); versuchen Sie es noch einmal, und wählen Sie das "
        "CPU-Backend, wenn es wieder geschieht."
    ),
    "The network for detail, {name}, is missing or damaged; reinstall Likeness.": (
        "Das Netz für Einzelheiten, {name}, fehlt oder ist beschädigt; installieren Sie Likeness neu."
    ),
    "The photo did not arrive within {seconds} s; try again.": (
        "Das Foto ist in {seconds} s nicht angekommen; versuchen Sie es noch einmal."
    ),
    "The photo {name} cannot be read ({reason}); check the file's permissions or choose another.": (
        "Das Foto {name} kann nicht gelesen werden ({reason}); prüfen Sie die Rechte der Datei, oder wählen Sie "
        "ein anderes."
    ),
    "The photo {name} is larger than {limit}; save a smaller copy and use that.": (
        "Das Foto {name} ist größer als {limit}; speichern Sie eine kleinere Kopie und nehmen Sie diese."
    ),
    "The photo {name} is not on disk any more; open it again or choose another.": (
        "Das Foto {name} ist nicht mehr auf der Platte; öffnen Sie es neu, oder wählen Sie ein anderes."
    ),
    "The preset's file": "Die Datei der Vorlage",
    "The reconstruction was cancelled.": "Die Rekonstruktion wurde abgebrochen.",
    "The reconstruction was cancelled; start it again when you want it.": (
        "Die Rekonstruktion wurde abgebrochen; starten Sie sie wieder, wenn Sie möchten."
    ),
    "The request carries no valid token; restart the backend from Blender.": (
        "Die Anfrage trägt kein gültiges Kennwort; starten Sie das Backend von Blender aus neu."
    ),
    "The request's {name} is {value}; it must be {wanted}.": "{name} der Anfrage ist {value}; verlangt ist: {wanted}.",
    "The same number gives the same face": "Dieselbe Zahl ergibt dasselbe Gesicht",
    "The shape alone, without expressions": "Nur die Form, ohne Ausdrücke",
    "There is no model for objects in {folder}; train one (docs/components.md says how) and name its folder.": (
        "In {folder} ist kein Modell für Gegenstände; trainieren Sie eines (docs/components.md sagt, wie) und "
        "nennen Sie seinen Ordner."
    ),
    "This Blender was built without USD; choose glTF or FBX.": (
        "Dieses Blender kann kein USD; wählen Sie glTF oder FBX."
    ),
    "The photo itself, its light taken out, in a texture of 1024 x 1024": (
        "Das Foto selbst, ohne sein Licht, in einer Textur von 1024 x 1024"
    ),
    "The photo itself, its light taken out, in a texture of 2048 x 2048": (
        "Das Foto selbst, ohne sein Licht, in einer Textur von 2048 x 2048"
    ),
    "The photo itself, its light taken out, in a texture of 4096 x 4096": (
        "Das Foto selbst, ohne sein Licht, in einer Textur von 4096 x 4096"
    ),
    "This head has no camera of its photo; switch Photo Camera on and make it again": (
        "Dieser Kopf hat keine Kamera seines Fotos; schalten Sie „Kamera des Fotos“ ein und erstellen Sie ihn neu"
    ),
    "This head's model does not say which MakeHuman vertices it has; make the head again with the model that "
    "comes with Likeness.": (
        "Das Modell dieses Kopfes sagt nicht, welche Vertices von MakeHuman es hat; erstellen Sie den Kopf mit "
        "dem mitgelieferten Modell neu."
    ),
    "This is not an image that can be read; choose a JPEG, PNG, WebP or TIFF file.": (
        "Dieses Bild kann nicht gelesen werden; wählen Sie eine JPEG-, PNG-, WebP- oder TIFF-Datei."
    ),
    "Three soft lights and a dim world": "Drei weiche Lichter und eine schwach leuchtende Welt",
    "To": "Auf",
    "USD (.usdc)": "USD (.usdc)",
    "USDZ (.usdz)": "USDZ (.usdz)",
    "Use the model that comes with Likeness again; no file is deleted": (
        "Wieder das mitgelieferte Modell benutzen; keine Datei wird gelöscht"
    ),
    "View as Photo": "Fotoansicht",
    "What the head is brought to": "Worauf der Kopf gestellt wird",
    "Which sliders get keyframes": "Welche Regler Keyframes bekommen",
    "Where the skin's colour comes from": "Woher die Farbe der Haut kommt",
    "Where the face is (left, top, width, height in pixels), from the brows to the chin; without a width it is found": (
        "Wo das Gesicht ist (links, oben, Breite, Höhe in Pixeln), von den Brauen bis zum Kinn; ohne Breite wird "
        "es gesucht"
    ),
    "Wrinkles": "Falten",
    "Write a copy of the head to a file: its identity baked in, with the ARKit expressions alone": (
        "Eine Kopie des Kopfes in eine Datei schreiben: mit eingebackener Identität und nur den Ausdrücken von ARKit"
    ),
    "Write the head's shape as a MakeHuman target, which MPFB gives to a body with clothes and a rig": (
        "Die Form des Kopfes als MakeHuman-Target schreiben, das MPFB einem Körper mit Kleidern und Rig gibt"
    ),
    "glTF (.glb)": "glTF (.glb)",
    "not started yet": "noch nicht gestartet",
    "{count} keyframes were inserted": "{count} Keyframes wurden eingefügt",
    "{count} sliders were set right": "{count} Regler wurden richtiggestellt",
    "{good} of {count} photos became heads": "Aus {good} von {count} Fotos wurden Köpfe",
    "{head} is in the asset browser, under Current File": "{head} ist im Asset-Browser, unter „Aktuelle Datei“",
    "{head} was made from {photo}": "{head} wurde aus {photo} erstellt",
    "{made} heads were made": "{made} Köpfe wurden erstellt",
    "{made} heads were made, {failed} photos failed": "{made} Köpfe wurden erstellt, {failed} Fotos sind gescheitert",
    "{name} was written": "{name} wurde geschrieben",
    "{name} was written; it moves {count} vertices": "{name} wurde geschrieben; es bewegt {count} Vertices",
    "Forget the list of the last photos": "Die Liste der letzten Fotos vergessen",
    "Folder of the photos": "Ordner der Fotos",
    "Person": "Person",
    "Age": "Alter",
    "Masculinity": "Männlichkeit",
    "Weight": "Gewicht",
    "Head Size": "Kopfgröße",
    "Neck Width": "Halsbreite",
    "Ear Size": "Ohrengröße",
    "Ear Protrusion": "Abstehende Ohren",
    "Face Width": "Gesichtsbreite",
    "Forehead Slope": "Fliehende Stirn",
    "Cheekbones": "Wangenknochen",
    "Cheek Fullness": "Wangenfülle",
    "Jaw Width": "Kieferbreite",
    "Chin Height": "Kinnhöhe",
    "Chin Projection": "Kinnvorsprung",
    "Brow Ridge": "Brauenwulst",
    "Brow Height": "Brauenhöhe",
    "Eye Opening": "Augenöffnung",
    "Eye Width": "Augenbreite",
    "Eye Spacing": "Augenabstand",
    "Eye Tilt": "Augenneigung",
    "Nose": "Nase",
    "Nose Length": "Nasenlänge",
    "Nose Width": "Nasenbreite",
    "Nose Bridge": "Nasenrücken",
    "Nose Projection": "Nasenvorsprung",
    "Nose Tip Angle": "Winkel der Nasenspitze",
    "Mouth Width": "Mundbreite",
    "Philtrum Length": "Länge der Oberlippenrinne",
    "Lip Fullness": "Lippenfülle",
    "Crumbs": "Krümel",
    "Keep parts that are much smaller than the largest one": "Teile behalten, die viel kleiner sind als das größte",
    "Make a mesh of the object in an image: one object, whole, before a plain background": (
        "Aus dem Gegenstand in einem Bild ein Netz erstellen: ein ganzer Gegenstand vor einfarbigem Hintergrund"
    ),
    "Object": "Gegenstand",
    "Occupancy from which the grid counts as inside: less makes the object fuller": (
        "Belegung, ab der das Gitter als innen zählt: weniger macht den Gegenstand voller"
    ),
    "Reconstruct Object from Image": "Gegenstand aus Bild rekonstruieren",
    "Reconstructing the object": "Rekonstruiere den Gegenstand",
    "Threshold": "Schwelle",
    "Image file to use in place of the panel's image": "Bilddatei, die statt des Bildes der Palette benutzt wird",
}
