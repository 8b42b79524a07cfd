"""Pages for the DPO: one HTML file each, with nothing to load and no script; and the records of processing as CSV."""

from rightful.reports.overview import overview_page
from rightful.reports.processing import as_csv as processing_csv
from rightful.reports.processing import record as processing
from rightful.reports.retention import retention_page

__all__ = ["overview_page", "processing", "processing_csv", "retention_page"]
