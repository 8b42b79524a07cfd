"""The privacy centre: what a visit to the page gets, and what its forms do.

A page knows everything by the fields of its own forms: there is no cookie, no session on the server, nothing in an
address but which card is open. `showing` answers GET, `acting` answers POST.
"""
