"""The privacy centre's pages: templates, style, script, and their words in four languages. Pure: what is shown is
decided by `rightful.service.visiting`.

One rendering, on the server, for whoever has script and whoever has not (docs/decisions/one-rendering.md).
"""
