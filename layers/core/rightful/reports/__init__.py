"""Pages for the DPO: one HTML file each, with nothing to load and no script."""

from rightful.reports.retention import retention_page

__all__ = ["retention_page"]
