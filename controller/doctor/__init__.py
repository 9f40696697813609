"""The doctor: looks at everything a service stands on, beside a running one or none, and writes nothing."""
