"""The mails: what they say, and how they look.

`templates/<kind>.j2` arranges a mail once, for both of its parts. It speaks through `voice`, a set of macros: `html.j2`
for the HTML part, `text.j2` for the plain one. The sentences are in `catalogues/<language>.toml`.

Everything that comes from people or operators is data: Jinja2 escapes it in the HTML part, and no template is ever made
from it. Subjects are made of the catalogue's words, the controller's name and request ids: no personal data.
"""

from rightful.mails.rendering import KINDS, Rendered, render

__all__ = ["KINDS", "Rendered", "render"]
