"""The ZIP that answers an access request. Pure: it writes to whatever sink it is given.

| entry | holds |
| --- | --- |
| `index.html` | everything at a glance, readable offline, without script (`viewer`) |
| `data/<store>.json` | every record, lossless, an array (`tables`) |
| `data/<store>.csv` | the same for a spreadsheet (`tables`) |
| `files/<store>/000001.<ext>` | the original files, unchanged, under names of our own (`names`) |
| `article15.json` | why the data is held, for how long, who receives it, which rights there are (`article15`) |
| `manifest.json` | size and SHA-256 of every other entry (`zipping`) |
"""
