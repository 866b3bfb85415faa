"""Foreign models to a QNet: the only place that knows foreign layers."""
