"""Code of four languages, read into one shape: functions, the calls they make, and what
surrounds each call.
"""
