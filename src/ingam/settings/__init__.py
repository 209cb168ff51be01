"""What the environment says, read once and frozen; production refuses what only a demo may have (security G7).

One module a concern, each with its own reading of INGAM_…; `process` holds them together, `refusing` what no process
starts with. Everybody imports from here.
"""

from ingam.settings.authority import CaSettings
from ingam.settings.copying import RelaySettings
from ingam.settings.institution import Institution
from ingam.settings.limits import Limits
from ingam.settings.operators import AuditSettings, ConsoleSettings
from ingam.settings.parties import ArsSettings, CardSettings, CoreBankSettings, FinanceSettings, PartySettings
from ingam.settings.process import PORTS, Settings
from ingam.settings.reading import read
from ingam.settings.refused import SettingsRefused
from ingam.settings.refusing import refuse_open_console, refuse_unseen_audit

__all__ = [
    "PORTS",
    "ArsSettings",
    "AuditSettings",
    "CaSettings",
    "CardSettings",
    "ConsoleSettings",
    "CoreBankSettings",
    "FinanceSettings",
    "Institution",
    "Limits",
    "PartySettings",
    "RelaySettings",
    "Settings",
    "SettingsRefused",
    "read",
    "refuse_open_console",
    "refuse_unseen_audit",
]
