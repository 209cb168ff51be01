// The script of every center page. Each behaviour improves a page that works without it.

import { startKeypads } from '../keypad/forms.ts';
import { attachCopy } from '../window/copy.ts';
import { attachIssue } from '../window/issue.ts';
import { attachManage } from '../window/manage.ts';
import { attachCertificateWindows } from '../window/main.ts';
import { startAddresses } from './addresses.ts';
import { startBusy } from './busy.ts';
import { startCall } from './call.ts';
import { startConsents } from './consents.ts';
import { startContact } from './contact.ts';
import { startDeviceProof } from './device_proof.ts';
import { startDigits } from './digits.ts';
import { startFields } from './fields.ts';
import { startFollow } from './follow.ts';
import { startIdCard } from './id_card.ts';
import { startMenu } from './menu.ts';
import { startSecrets } from './secrets.ts';
import { startSession } from './session.ts';
import { startSummary } from './summary.ts';
import { startTimers } from './timers.ts';
import { startWayBack } from './way_back.ts';
import { startWebApp } from './web_app.ts';

startSummary(document);
startTimers(document);
startCall(document);
startSecrets(document);
startKeypads(document);
startDigits(document);
startFields(document);
startConsents(document);
startContact(document);
startAddresses(document);
startIdCard(document);
startWayBack(document);
startMenu(document);
startFollow(document);
startSession(document);
// Before startBusy: a submission that opens the certificate window is none yet.
attachCertificateWindows();
startDeviceProof(document);
attachIssue(document);
attachCopy(document);
attachManage(document);
startBusy(document);
void startWebApp(document);
