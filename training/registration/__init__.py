"""Registration: scans and published face models carried onto the template, as a population."""
