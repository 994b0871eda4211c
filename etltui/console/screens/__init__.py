"""What lies over the views for a while."""
