"""Views of results: tables, pictures, the HTML page."""
