// The console's own script: forms that a passkey answers. Everything else of its pages is the script of every page.

import { startPrinting } from './printing.ts';
import { startPasskeys } from './passkeys.ts';

startPasskeys(document);
startPrinting(document);
