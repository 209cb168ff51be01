"""Who an authority is and what it issues, as data (`presets/`), and how long what it issues is valid."""

from ingam.ca.profiles.authority import Authority, Generation, RootNames, ServiceKeys
from ingam.ca.profiles.lifetime import Operation, validity
from ingam.ca.profiles.profile import Customer, KeyRules, Profile, ProfileUnknown
from ingam.ca.profiles.reading import PRESETS, load, preset, preset_files, read
from ingam.ca.profiles.shaping import SERVICES, service_shape, shape_of
from ingam.ca.profiles.table import ProfileRefused

__all__ = [
    "PRESETS",
    "SERVICES",
    "Authority",
    "Customer",
    "Generation",
    "KeyRules",
    "Operation",
    "Profile",
    "ProfileRefused",
    "ProfileUnknown",
    "RootNames",
    "ServiceKeys",
    "load",
    "preset",
    "preset_files",
    "read",
    "service_shape",
    "shape_of",
    "validity",
]
