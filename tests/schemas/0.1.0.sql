-- Fullcircle 0.1.0: an installation at work, with replies waiting in every state.
BEGIN TRANSACTION;
CREATE TABLE account (
	channel TEXT NOT NULL, 
	mode TEXT NOT NULL, 
	handle TEXT NOT NULL, 
	url TEXT NOT NULL, 
	sent_at DATETIME, 
	reread_at DATETIME, 
	reread_until DATETIME, 
	reread_token TEXT, 
	mute BOOLEAN DEFAULT 0 NOT NULL, 
	name TEXT NOT NULL, 
	settings JSON NOT NULL, 
	secrets TEXT NOT NULL, 
	kept TEXT DEFAULT '' NOT NULL, 
	kept_token TEXT, 
	kept_until DATETIME, 
	version INTEGER NOT NULL, 
	remote_id TEXT NOT NULL, 
	facts JSON NOT NULL, 
	ok BOOLEAN DEFAULT 1 NOT NULL, 
	why TEXT NOT NULL, 
	blocked BOOLEAN DEFAULT 0 NOT NULL, 
	health_at DATETIME, 
	proven_at DATETIME, 
	scopes JSON NOT NULL, 
	expires_at DATETIME, 
	quota JSON NOT NULL, 
	cursor TEXT, 
	read_at DATETIME, 
	poll_at DATETIME, 
	poll_until DATETIME, 
	poll_token TEXT, 
	failures INTEGER DEFAULT '0' NOT NULL, 
	resume_at DATETIME, 
	rejected INTEGER DEFAULT '0' NOT NULL, 
	rejected_at DATETIME, 
	rejected_why TEXT DEFAULT '' NOT NULL, 
	created_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT
);
INSERT INTO "account" VALUES('rehearsal','automatic','acme','http://fullcircle.test/rehearsal/main','2026-03-02 09:08:00.000000',NULL,NULL,NULL,0,'Acme','{"scene": "main", "brand": "Acme"}','gAAAAABrDF2y9fS1q8gHX2aHps634gNvEZvCYp0ZAx7nxiKr2aRj7SlDVRrz4D352nz4Gaq_PE8vRfZHxbpiwfjmbMfh09b87A==','gAAAAABrDF2yp3nexHVbHYYB0_oW45C3mDC4LQZMX0x7m-pHqj9DdEBmZOCxTFUecnDUW305hOl6CEzs58usShNjXh1I21W3GQ==',NULL,NULL,1,'rehearsal:main/people/acme','{}',1,'',0,'2026-03-02 09:32:00.000000','2026-03-02 09:00:00.000000','[]',NULL,'{}','10','2026-03-02 09:32:00.000000','2026-03-02 09:32:01.000000',NULL,NULL,0,NULL,0,NULL,'','2026-03-02 09:00:00.000000',NULL,1);
INSERT INTO "account" VALUES('rehearsal','approve','acme','http://fullcircle.test/rehearsal/other',NULL,NULL,NULL,NULL,0,'Acme, approved','{"scene": "other", "brand": "Acme"}','gAAAAABrDF2ypm4YtwdSDsbHPiWJwJD6UgSR7pfMJmASY046mDXNtgLEd6gapWVdY0_mN7gW4YwS3nOQWHa7dnsG3xWoGIy28A==','gAAAAABrDF2ywHJCT9hym-YECO8n-_usWe7wXrKQLObxzECvNZorcrOnqw6Nkx3xiAJ_X-X2MNTbT_eZPotAe1cBTEspiDrRlw==',NULL,NULL,1,'rehearsal:other/people/acme','{}',1,'',0,'2026-03-02 09:20:00.000000','2026-03-02 09:00:00.000000','[]',NULL,'{}','3','2026-03-02 09:20:00.000000','2026-03-02 09:20:01.000000',NULL,NULL,0,NULL,0,NULL,'','2026-03-02 09:00:00.000000',NULL,2);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE attempt (
	reply_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	outcome TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_attempt_reply_id_reply FOREIGN KEY(reply_id) REFERENCES reply (id)
);
INSERT INTO "attempt" VALUES(1,1,'21b3caf31b9e7e95fa19a30c881d1f7d','2026-03-02 09:04:00.000000','2026-03-02 09:04:00.000000','posted','said',1);
INSERT INTO "attempt" VALUES(2,1,'469bdb11216c9d313a22c4c92b1a7ee4','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000','posted','said',2);
INSERT INTO "attempt" VALUES(7,1,'164d7eb436e36b340e5c8dbb72aa5065','2026-03-02 09:24:00.000000','2026-03-02 09:24:00.000000','unknown','the rehearsal stage plays ''unknown'' on send',3);
INSERT INTO "attempt" VALUES(8,1,'e2d58be540c7b5254c1f768c80ac838c','2026-03-02 09:28:00.000000',NULL,'calling','',4);
INSERT INTO "attempt" VALUES(9,1,'82f2e4fc1c775b36d652786f4e01b838','2026-03-02 09:32:00.000000',NULL,'calling','',5);
CREATE TABLE consent (
	hash TEXT NOT NULL, 
	session_id INTEGER NOT NULL, 
	channel TEXT NOT NULL, 
	account_id INTEGER, 
	sealed TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_consent_account_id_account FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT fk_consent_session_id_token FOREIGN KEY(session_id) REFERENCES token (id), 
	CONSTRAINT uq_consent_hash UNIQUE (hash)
);
CREATE TABLE customer (
	created_at DATETIME NOT NULL, 
	unsettled BOOLEAN DEFAULT 0 NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT
);
INSERT INTO "customer" VALUES('2026-03-02 09:00:00.000000',0,1);
INSERT INTO "customer" VALUES('2026-03-02 09:04:00.000000',0,2);
INSERT INTO "customer" VALUES('2026-03-02 09:08:00.000000',0,3);
INSERT INTO "customer" VALUES('2026-03-02 09:12:00.000000',0,4);
INSERT INTO "customer" VALUES('2026-03-02 09:16:00.000000',0,5);
INSERT INTO "customer" VALUES('2026-03-02 09:20:00.000000',0,6);
INSERT INTO "customer" VALUES('2026-03-02 09:24:00.000000',0,7);
INSERT INTO "customer" VALUES('2026-03-02 09:28:00.000000',0,8);
INSERT INTO "customer" VALUES('2026-03-02 09:32:00.000000',0,9);
CREATE TABLE delivery (
	hook VARCHAR(60) NOT NULL, 
	"key" TEXT NOT NULL, 
	event TEXT NOT NULL, 
	headers JSON NOT NULL, 
	body BLOB NOT NULL, 
	issues JSON NOT NULL, 
	everything BOOLEAN NOT NULL, 
	posts JSON DEFAULT '[]' NOT NULL, 
	state TEXT NOT NULL, 
	why TEXT NOT NULL, 
	received_at DATETIME NOT NULL, 
	worked_at DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT ck_delivery_state CHECK (state IN ('new', 'done', 'failed')), 
	CONSTRAINT uq_delivery_hook_key UNIQUE (hook, "key")
);
INSERT INTO "delivery" VALUES('trackers/1','a-key','changed','{}',X'7B7D','[]',1,'[]','new','','2026-03-02 09:36:00.000000',NULL,1);
CREATE TABLE event (
	at DATETIME NOT NULL, 
	what TEXT NOT NULL, 
	why TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	loop_id INTEGER, 
	issue_id INTEGER, 
	reply_id INTEGER, 
	customer_id INTEGER, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT
);
INSERT INTO "event" VALUES('2026-03-02 09:00:00.000000','tagged','','tests',1,NULL,NULL,NULL,1);
INSERT INTO "event" VALUES('2026-03-02 09:00:00.000000','linked','What told found','tests',1,1,NULL,NULL,2);
INSERT INTO "event" VALUES('2026-03-02 09:00:00.000000','issue made','#1','',NULL,1,NULL,NULL,3);
INSERT INTO "event" VALUES('2026-03-02 09:00:00.000000','verdict','#1 is still open','',NULL,1,NULL,NULL,4);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','verdict','v1.0.0 contains 6edd44b','',NULL,1,NULL,NULL,5);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','shipped','v1.0.0 contains 6edd44b','',NULL,1,NULL,NULL,6);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','shipped','v1.0.0 contains 6edd44b','',1,NULL,NULL,NULL,7);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','reply scheduled','goes out now','',1,NULL,1,NULL,8);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','reply sending','is being said','',1,NULL,1,NULL,9);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','reply posted','said','',1,NULL,1,NULL,10);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','told','','',1,NULL,1,NULL,11);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','tagged','','tests',2,NULL,NULL,NULL,12);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','linked','What corrected found','tests',2,2,NULL,NULL,13);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','issue made','#2','',NULL,2,NULL,NULL,14);
INSERT INTO "event" VALUES('2026-03-02 09:04:00.000000','verdict','#2 is still open','',NULL,2,NULL,NULL,15);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','verdict','v1.0.1 contains 2a5f7b4','',NULL,2,NULL,NULL,16);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','shipped','v1.0.1 contains 2a5f7b4','',NULL,2,NULL,NULL,17);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','shipped','v1.0.1 contains 2a5f7b4','',2,NULL,NULL,NULL,18);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','reply scheduled','goes out now','',2,NULL,2,NULL,19);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','reply sending','is being said','',2,NULL,2,NULL,20);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','reply posted','said','',2,NULL,2,NULL,21);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','told','','',2,NULL,2,NULL,22);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','verdict','#2 is reopened','',NULL,2,NULL,NULL,23);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','shipment withdrawn','#2 is reopened','',NULL,2,NULL,NULL,24);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','evidence withdrawn after telling','#2 is reopened','',2,NULL,NULL,NULL,25);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','tagged','','tests',3,NULL,NULL,NULL,26);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','linked','What approved found','tests',3,3,NULL,NULL,27);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','issue made','#3','',NULL,3,NULL,NULL,28);
INSERT INTO "event" VALUES('2026-03-02 09:08:00.000000','verdict','#3 is still open','',NULL,3,NULL,NULL,29);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','verdict','v1.2.0 contains bd72e95','',NULL,3,NULL,NULL,30);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','shipped','v1.2.0 contains bd72e95','',NULL,3,NULL,NULL,31);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','shipped','v1.2.0 contains bd72e95','',3,NULL,NULL,NULL,32);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','reply awaiting_approval','waits for an approver','',3,NULL,4,NULL,33);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','tagged','','tests',4,NULL,NULL,NULL,34);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','linked','What held found','tests',4,4,NULL,NULL,35);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','issue made','#4','',NULL,4,NULL,NULL,36);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','verdict','#4 is still open','',NULL,4,NULL,NULL,37);
INSERT INTO "event" VALUES('2026-03-02 09:12:00.000000','held','5 % rollout','tests',NULL,4,NULL,NULL,38);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','verdict','v1.2.1 contains 933aa5c','',NULL,4,NULL,NULL,39);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','shipped','v1.2.1 contains 933aa5c','',NULL,4,NULL,NULL,40);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','shipped','v1.2.1 contains 933aa5c','',4,NULL,NULL,NULL,41);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','reply held','not for customers yet: 5 % rollout','',4,NULL,5,NULL,42);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','tagged','','tests',5,NULL,NULL,NULL,43);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','linked','What stopped found','tests',5,5,NULL,NULL,44);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','issue made','#5','',NULL,5,NULL,NULL,45);
INSERT INTO "event" VALUES('2026-03-02 09:16:00.000000','verdict','#5 is still open','',NULL,5,NULL,NULL,46);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','verdict','v1.2.2 contains a9822b7','',NULL,5,NULL,NULL,47);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','shipped','v1.2.2 contains a9822b7','',NULL,5,NULL,NULL,48);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','shipped','v1.2.2 contains a9822b7','',5,NULL,NULL,NULL,49);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','reply awaiting_approval','waits for an approver','',5,NULL,6,NULL,50);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','reply held','held by tests','tests',5,NULL,6,NULL,51);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','tagged','','tests',6,NULL,NULL,NULL,52);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','linked','What lost found','tests',6,6,NULL,NULL,53);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','issue made','#6','',NULL,6,NULL,NULL,54);
INSERT INTO "event" VALUES('2026-03-02 09:20:00.000000','verdict','#6 is still open','',NULL,6,NULL,NULL,55);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','verdict','v1.3.0 contains bed1a12','',NULL,6,NULL,NULL,56);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','shipped','v1.3.0 contains bed1a12','',NULL,6,NULL,NULL,57);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','shipped','v1.3.0 contains bed1a12','',6,NULL,NULL,NULL,58);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','reply scheduled','goes out now','',6,NULL,7,NULL,59);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','reply sending','is being said','',6,NULL,7,NULL,60);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','reply unknown','the rehearsal stage plays ''unknown'' on send; looking in the thread','',6,NULL,7,NULL,61);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','tagged','','tests',7,NULL,NULL,NULL,62);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','linked','What died-after found','tests',7,7,NULL,NULL,63);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','issue made','#7','',NULL,7,NULL,NULL,64);
INSERT INTO "event" VALUES('2026-03-02 09:24:00.000000','verdict','#7 is still open','',NULL,7,NULL,NULL,65);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','verdict','v1.4.0 contains 16b16b5','',NULL,7,NULL,NULL,66);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','shipped','v1.4.0 contains 16b16b5','',NULL,7,NULL,NULL,67);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','shipped','v1.4.0 contains 16b16b5','',7,NULL,NULL,NULL,68);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','reply scheduled','goes out now','',7,NULL,8,NULL,69);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','reply sending','is being said','',7,NULL,8,NULL,70);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','tagged','','tests',8,NULL,NULL,NULL,71);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','linked','What died-before found','tests',8,8,NULL,NULL,72);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','issue made','#8','',NULL,8,NULL,NULL,73);
INSERT INTO "event" VALUES('2026-03-02 09:28:00.000000','verdict','#8 is still open','',NULL,8,NULL,NULL,74);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','verdict','v1.4.1 contains b0a1895','',NULL,8,NULL,NULL,75);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','shipped','v1.4.1 contains b0a1895','',NULL,8,NULL,NULL,76);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','shipped','v1.4.1 contains b0a1895','',8,NULL,NULL,NULL,77);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','reply scheduled','goes out now','',8,NULL,9,NULL,78);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','reply sending','is being said','',8,NULL,9,NULL,79);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','tagged','','tests',9,NULL,NULL,NULL,80);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','linked','What settling found','tests',9,9,NULL,NULL,81);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','issue made','#9','',NULL,9,NULL,NULL,82);
INSERT INTO "event" VALUES('2026-03-02 09:32:00.000000','verdict','#9 is still open','',NULL,9,NULL,NULL,83);
INSERT INTO "event" VALUES('2026-03-02 09:36:00.000000','verdict','v1.5.0 contains 8d15035','',NULL,9,NULL,NULL,84);
INSERT INTO "event" VALUES('2026-03-02 09:36:00.000000','shipped','v1.5.0 contains 8d15035','',NULL,9,NULL,NULL,85);
INSERT INTO "event" VALUES('2026-03-02 09:36:00.000000','shipped','v1.5.0 contains 8d15035','',9,NULL,NULL,NULL,86);
INSERT INTO "event" VALUES('2026-03-02 09:36:00.000000','reply scheduled','waits for the settle time until 2026-03-02 10:36 UTC, then the evidence is read once more','',9,NULL,10,NULL,87);
INSERT INTO "event" VALUES('2026-03-02 09:36:00.000000','reply scheduled','written by tests','tests',1,NULL,11,NULL,88);
CREATE TABLE identity (
	channel TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	handle TEXT NOT NULL, 
	name TEXT NOT NULL, 
	url TEXT, 
	followers INTEGER, 
	weak BOOLEAN NOT NULL, 
	customer_id INTEGER NOT NULL, 
	joined_at DATETIME, 
	joined_by TEXT DEFAULT '' NOT NULL, 
	joined_from INTEGER, 
	suppressed_at DATETIME, 
	suppressed_why TEXT DEFAULT '' NOT NULL, 
	suppressed_by TEXT DEFAULT '' NOT NULL, 
	seen_at DATETIME NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_identity_customer_id_customer FOREIGN KEY(customer_id) REFERENCES customer (id), 
	CONSTRAINT uq_identity_channel_external_id UNIQUE (channel, external_id)
);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:main/people/told','told','','http://fullcircle.test/rehearsal/main',NULL,0,1,NULL,'',NULL,NULL,'','','2026-03-02 09:00:00.000000',1);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:main/people/corrected','corrected','','http://fullcircle.test/rehearsal/main',NULL,0,2,NULL,'',NULL,NULL,'','','2026-03-02 09:04:00.000000',2);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:other/people/approved','approved','','http://fullcircle.test/rehearsal/other',NULL,0,3,NULL,'',NULL,NULL,'','','2026-03-02 09:08:00.000000',3);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:other/people/held','held','','http://fullcircle.test/rehearsal/other',NULL,0,4,NULL,'',NULL,NULL,'','','2026-03-02 09:12:00.000000',4);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:other/people/stopped','stopped','','http://fullcircle.test/rehearsal/other',NULL,0,5,NULL,'',NULL,NULL,'','','2026-03-02 09:16:00.000000',5);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:main/people/lost','lost','','http://fullcircle.test/rehearsal/main',NULL,0,6,NULL,'',NULL,NULL,'','','2026-03-02 09:20:00.000000',6);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:main/people/died-after','died-after','','http://fullcircle.test/rehearsal/main',NULL,0,7,NULL,'',NULL,NULL,'','','2026-03-02 09:24:00.000000',7);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:main/people/died-before','died-before','','http://fullcircle.test/rehearsal/main',NULL,0,8,NULL,'',NULL,NULL,'','','2026-03-02 09:28:00.000000',8);
INSERT INTO "identity" VALUES('rehearsal','rehearsal:main/people/settling','settling','','http://fullcircle.test/rehearsal/main',NULL,0,9,NULL,'',NULL,NULL,'','','2026-03-02 09:32:00.000000',9);
CREATE TABLE issue (
	tracker_id INTEGER NOT NULL, 
	remote_id TEXT, 
	ref TEXT NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	marker TEXT NOT NULL, 
	url TEXT NOT NULL, 
	state TEXT NOT NULL, 
	outcome TEXT, 
	outcome_reason TEXT, 
	outcome_label TEXT DEFAULT '' NOT NULL, 
	closed_at DATETIME, 
	locked BOOLEAN NOT NULL, 
	visible_to_public BOOLEAN NOT NULL, 
	updated_at DATETIME, 
	read_at DATETIME, 
	verdict TEXT NOT NULL, 
	why TEXT NOT NULL, 
	evidence JSON NOT NULL, 
	platforms JSON DEFAULT '[]' NOT NULL, 
	held_at DATETIME, 
	held_why TEXT DEFAULT '' NOT NULL, 
	created_at DATETIME NOT NULL, 
	create_at DATETIME, 
	create_called_at DATETIME, 
	create_failures INTEGER NOT NULL, 
	look_wanted INTEGER NOT NULL, 
	look_done INTEGER NOT NULL, 
	look_at DATETIME, 
	look_failures INTEGER NOT NULL, 
	block_wanted INTEGER NOT NULL, 
	block_done INTEGER NOT NULL, 
	block_at DATETIME, 
	block_handle TEXT, 
	block_digest TEXT DEFAULT '' NOT NULL, 
	block_why TEXT DEFAULT '' NOT NULL, 
	pull_url TEXT DEFAULT '' NOT NULL, 
	pull_wanted INTEGER NOT NULL, 
	pull_done INTEGER NOT NULL, 
	pull_at DATETIME, 
	pull_failures INTEGER NOT NULL, 
	pull_on TEXT DEFAULT '' NOT NULL, 
	pull_handle TEXT, 
	pull_digest TEXT DEFAULT '' NOT NULL, 
	pull_why TEXT DEFAULT '' NOT NULL, 
	claim TEXT, 
	claim_until DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT ck_issue_state CHECK (state IN ('creating','open','closed','gone')), 
	CONSTRAINT fk_issue_tracker_id_tracker FOREIGN KEY(tracker_id) REFERENCES tracker (id), 
	CONSTRAINT uq_issue_marker UNIQUE (marker), 
	CONSTRAINT uq_issue_tracker_id_remote_id UNIQUE (tracker_id, remote_id)
);
INSERT INTO "issue" VALUES(1,'1','#1','What told found','','issue-d479a8b0379bb8c8','http://fullcircle.test/rehearsal/main/board#issue-1','closed','fixed',NULL,'completed','2026-03-02 09:02:00.000000',0,1,'2026-03-02 09:02:00.000000','2026-03-02 09:36:00.000000','shipped','v1.0.0 contains 6edd44b','[{"kind": "closed", "level": 0, "label": "#1 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-1", "at": "2026-03-02T09:02:00+00:00"}, {"kind": "change", "level": 1, "label": "6edd44b closes #1", "url": "http://fullcircle.test/rehearsal/main/board#issue-1", "at": "2026-03-02T09:02:00+00:00"}, {"kind": "contained", "level": 2, "label": "6edd44b contained in v1.0.0", "url": "http://fullcircle.test/rehearsal/main/board#release-1", "at": "2026-03-02T09:04:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.0.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-1", "at": "2026-03-02T09:04:00+00:00"}]','[]',NULL,'','2026-03-02 09:00:00.000000',NULL,'2026-03-02 09:00:00.000000',0,21,21,NULL,0,3,3,'2026-03-02 09:04:03.000000','1','01e676c8221384d24b63d01921da929b898a95157f02c3ad332bf50b8c3d0f68','','',4,0,NULL,0,'',NULL,'','',NULL,NULL,1);
INSERT INTO "issue" VALUES(1,'2','#2','What corrected found','','issue-ed511994823157f4','http://fullcircle.test/rehearsal/main/board#issue-2','open',NULL,NULL,'reopened',NULL,0,1,'2026-03-02 09:08:00.000000','2026-03-02 09:36:00.000000','not_yet','#2 is reopened','[]','[]',NULL,'','2026-03-02 09:04:00.000000',NULL,'2026-03-02 09:04:00.000000',0,13,13,NULL,0,3,3,'2026-03-02 09:08:03.000000','2','4126ff88390dae6405a4fd2583d1bd61131934c092ff2a664a3cda820acdb578','','',5,0,NULL,0,'',NULL,'','',NULL,NULL,2);
INSERT INTO "issue" VALUES(1,'3','#3','What approved found','','issue-bcb4b86a3aef6a13','http://fullcircle.test/rehearsal/main/board#issue-3','closed','fixed',NULL,'completed','2026-03-02 09:10:00.000000',0,1,'2026-03-02 09:10:00.000000','2026-03-02 09:36:00.000000','shipped','v1.2.0 contains bd72e95','[{"kind": "closed", "level": 0, "label": "#3 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-3", "at": "2026-03-02T09:10:00+00:00"}, {"kind": "change", "level": 1, "label": "bd72e95 closes #3", "url": "http://fullcircle.test/rehearsal/main/board#issue-3", "at": "2026-03-02T09:10:00+00:00"}, {"kind": "contained", "level": 2, "label": "bd72e95 contained in v1.2.0", "url": "http://fullcircle.test/rehearsal/main/board#release-3", "at": "2026-03-02T09:12:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.2.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-3", "at": "2026-03-02T09:12:00+00:00"}]','[]',NULL,'','2026-03-02 09:08:00.000000',NULL,'2026-03-02 09:08:00.000000',0,16,16,NULL,0,2,2,'2026-03-02 09:20:03.000000','3','0f3f1b801da73a662d0e3aa4f6cbd4702a18883ee9ad4bf80fb4db2ce1eea7e8','','',3,0,NULL,0,'',NULL,'','',NULL,NULL,3);
INSERT INTO "issue" VALUES(1,'4','#4','What held found','','issue-f99ebfe347f10452','http://fullcircle.test/rehearsal/main/board#issue-4','closed','fixed',NULL,'completed','2026-03-02 09:14:00.000000',0,1,'2026-03-02 09:14:00.000000','2026-03-02 09:36:00.000000','shipped','v1.2.1 contains 933aa5c','[{"kind": "closed", "level": 0, "label": "#4 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-4", "at": "2026-03-02T09:14:00+00:00"}, {"kind": "change", "level": 1, "label": "933aa5c closes #4", "url": "http://fullcircle.test/rehearsal/main/board#issue-4", "at": "2026-03-02T09:14:00+00:00"}, {"kind": "contained", "level": 2, "label": "933aa5c contained in v1.2.1", "url": "http://fullcircle.test/rehearsal/main/board#release-4", "at": "2026-03-02T09:16:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.2.1 published", "url": "http://fullcircle.test/rehearsal/main/board#release-4", "at": "2026-03-02T09:16:00+00:00"}]','[]','2026-03-02 09:12:00.000000','5 % rollout','2026-03-02 09:12:00.000000',NULL,'2026-03-02 09:12:00.000000',0,14,14,NULL,0,2,2,'2026-03-02 09:20:03.000000','4','48bddfcd32ecc0a6c760e7b7eba2c310d6a59a5d17cb1d584c9d4f8d508ff196','','',4,0,NULL,0,'',NULL,'','',NULL,NULL,4);
INSERT INTO "issue" VALUES(1,'5','#5','What stopped found','','issue-0d213d0461b488b7','http://fullcircle.test/rehearsal/main/board#issue-5','closed','fixed',NULL,'completed','2026-03-02 09:18:00.000000',0,1,'2026-03-02 09:18:00.000000','2026-03-02 09:36:00.000000','shipped','v1.2.2 contains a9822b7','[{"kind": "closed", "level": 0, "label": "#5 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-5", "at": "2026-03-02T09:18:00+00:00"}, {"kind": "change", "level": 1, "label": "a9822b7 closes #5", "url": "http://fullcircle.test/rehearsal/main/board#issue-5", "at": "2026-03-02T09:18:00+00:00"}, {"kind": "contained", "level": 2, "label": "a9822b7 contained in v1.2.2", "url": "http://fullcircle.test/rehearsal/main/board#release-5", "at": "2026-03-02T09:20:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.2.2 published", "url": "http://fullcircle.test/rehearsal/main/board#release-5", "at": "2026-03-02T09:20:00+00:00"}]','[]',NULL,'','2026-03-02 09:16:00.000000',NULL,'2026-03-02 09:16:00.000000',0,12,12,NULL,0,2,2,'2026-03-02 09:20:03.000000','5','29ddec42edcaf9daa3f43d2ab8dafa19300dd84d8a7fc649c5305fb83c5baa8a','','',3,0,NULL,0,'',NULL,'','',NULL,NULL,5);
INSERT INTO "issue" VALUES(1,'6','#6','What lost found','','issue-8e861d847ee0937c','http://fullcircle.test/rehearsal/main/board#issue-6','closed','fixed',NULL,'completed','2026-03-02 09:22:00.000000',0,1,'2026-03-02 09:22:00.000000','2026-03-02 09:36:00.000000','shipped','v1.3.0 contains bed1a12','[{"kind": "closed", "level": 0, "label": "#6 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-6", "at": "2026-03-02T09:22:00+00:00"}, {"kind": "change", "level": 1, "label": "bed1a12 closes #6", "url": "http://fullcircle.test/rehearsal/main/board#issue-6", "at": "2026-03-02T09:22:00+00:00"}, {"kind": "contained", "level": 2, "label": "bed1a12 contained in v1.3.0", "url": "http://fullcircle.test/rehearsal/main/board#release-6", "at": "2026-03-02T09:24:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.3.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-6", "at": "2026-03-02T09:24:00+00:00"}]','[]',NULL,'','2026-03-02 09:20:00.000000',NULL,'2026-03-02 09:20:00.000000',0,10,10,NULL,0,2,0,NULL,NULL,'','','',3,0,NULL,0,'',NULL,'','',NULL,NULL,6);
INSERT INTO "issue" VALUES(1,'7','#7','What died-after found','','issue-65c78cacf810208b','http://fullcircle.test/rehearsal/main/board#issue-7','closed','fixed',NULL,'completed','2026-03-02 09:26:00.000000',0,1,'2026-03-02 09:26:00.000000','2026-03-02 09:36:00.000000','shipped','v1.4.0 contains 16b16b5','[{"kind": "closed", "level": 0, "label": "#7 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-7", "at": "2026-03-02T09:26:00+00:00"}, {"kind": "change", "level": 1, "label": "16b16b5 closes #7", "url": "http://fullcircle.test/rehearsal/main/board#issue-7", "at": "2026-03-02T09:26:00+00:00"}, {"kind": "contained", "level": 2, "label": "16b16b5 contained in v1.4.0", "url": "http://fullcircle.test/rehearsal/main/board#release-7", "at": "2026-03-02T09:28:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.4.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-7", "at": "2026-03-02T09:28:00+00:00"}]','[]',NULL,'','2026-03-02 09:24:00.000000',NULL,'2026-03-02 09:24:00.000000',0,8,8,NULL,0,2,0,NULL,NULL,'','','',3,0,NULL,0,'',NULL,'','',NULL,NULL,7);
INSERT INTO "issue" VALUES(1,'8','#8','What died-before found','','issue-b2d8e403de0174d8','http://fullcircle.test/rehearsal/main/board#issue-8','closed','fixed',NULL,'completed','2026-03-02 09:30:00.000000',0,1,'2026-03-02 09:30:00.000000','2026-03-02 09:36:00.000000','shipped','v1.4.1 contains b0a1895','[{"kind": "closed", "level": 0, "label": "#8 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-8", "at": "2026-03-02T09:30:00+00:00"}, {"kind": "change", "level": 1, "label": "b0a1895 closes #8", "url": "http://fullcircle.test/rehearsal/main/board#issue-8", "at": "2026-03-02T09:30:00+00:00"}, {"kind": "contained", "level": 2, "label": "b0a1895 contained in v1.4.1", "url": "http://fullcircle.test/rehearsal/main/board#release-8", "at": "2026-03-02T09:32:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.4.1 published", "url": "http://fullcircle.test/rehearsal/main/board#release-8", "at": "2026-03-02T09:32:00+00:00"}]','[]',NULL,'','2026-03-02 09:28:00.000000',NULL,'2026-03-02 09:28:00.000000',0,6,6,NULL,0,2,0,NULL,NULL,'','','',3,0,NULL,0,'',NULL,'','',NULL,NULL,8);
INSERT INTO "issue" VALUES(1,'9','#9','What settling found','','issue-2176ddb9ef7f673c','http://fullcircle.test/rehearsal/main/board#issue-9','closed','fixed',NULL,'completed','2026-03-02 09:34:00.000000',0,1,'2026-03-02 09:34:00.000000','2026-03-02 09:36:00.000000','shipped','v1.5.0 contains 8d15035','[{"kind": "closed", "level": 0, "label": "#9 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-9", "at": "2026-03-02T09:34:00+00:00"}, {"kind": "change", "level": 1, "label": "8d15035 closes #9", "url": "http://fullcircle.test/rehearsal/main/board#issue-9", "at": "2026-03-02T09:34:00+00:00"}, {"kind": "contained", "level": 2, "label": "8d15035 contained in v1.5.0", "url": "http://fullcircle.test/rehearsal/main/board#release-9", "at": "2026-03-02T09:36:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.5.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-9", "at": "2026-03-02T09:36:00+00:00"}]','[]',NULL,'','2026-03-02 09:32:00.000000',NULL,'2026-03-02 09:32:00.000000',0,4,4,NULL,0,2,0,NULL,NULL,'','','',3,0,NULL,0,'',NULL,'','',NULL,NULL,9);
CREATE TABLE link (
	loop_id INTEGER NOT NULL, 
	issue_id INTEGER NOT NULL, 
	since DATETIME NOT NULL, 
	until DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_link_issue_id_issue FOREIGN KEY(issue_id) REFERENCES issue (id), 
	CONSTRAINT fk_link_loop_id_loop FOREIGN KEY(loop_id) REFERENCES loop (id)
);
INSERT INTO "link" VALUES(1,1,'2026-03-02 09:00:00.000000',NULL,1);
INSERT INTO "link" VALUES(2,2,'2026-03-02 09:04:00.000000',NULL,2);
INSERT INTO "link" VALUES(3,3,'2026-03-02 09:08:00.000000',NULL,3);
INSERT INTO "link" VALUES(4,4,'2026-03-02 09:12:00.000000',NULL,4);
INSERT INTO "link" VALUES(5,5,'2026-03-02 09:16:00.000000',NULL,5);
INSERT INTO "link" VALUES(6,6,'2026-03-02 09:20:00.000000',NULL,6);
INSERT INTO "link" VALUES(7,7,'2026-03-02 09:24:00.000000',NULL,7);
INSERT INTO "link" VALUES(8,8,'2026-03-02 09:28:00.000000',NULL,8);
INSERT INTO "link" VALUES(9,9,'2026-03-02 09:32:00.000000',NULL,9);
CREATE TABLE loop (
	channel TEXT NOT NULL, 
	thread_id TEXT NOT NULL, 
	identity_id INTEGER NOT NULL, 
	post_id INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	why TEXT NOT NULL, 
	owed BOOLEAN DEFAULT 0 NOT NULL, 
	needs_person TEXT DEFAULT '' NOT NULL, 
	untold TEXT DEFAULT '' NOT NULL, 
	waits_on INTEGER, 
	tell_by TEXT DEFAULT '' NOT NULL, 
	round INTEGER NOT NULL, 
	tags JSON NOT NULL, 
	platform TEXT DEFAULT '' NOT NULL, 
	team TEXT, 
	assignee TEXT, 
	verification TEXT, 
	refuted_at DATETIME, 
	refuted_fix TEXT DEFAULT '' NOT NULL, 
	seen_at DATETIME NOT NULL, 
	tagged_at DATETIME NOT NULL, 
	linked_at DATETIME, 
	fixed_at DATETIME, 
	shipped_at DATETIME, 
	told_at DATETIME, 
	verified_at DATETIME, 
	thread_read_at DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT ck_loop_state CHECK (state IN ('open','linked','fixed','shipped','told','verified','declined','dropped','reopened')), 
	CONSTRAINT fk_loop_identity_id_identity FOREIGN KEY(identity_id) REFERENCES identity (id), 
	CONSTRAINT fk_loop_post_id_post FOREIGN KEY(post_id) REFERENCES post (id), 
	CONSTRAINT uq_loop_channel_thread_id_identity_id UNIQUE (channel, thread_id, identity_id)
);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:main/posts/1',1,1,'told','told; waiting for the customer''s answer',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000','2026-03-02 09:04:00.000000','2026-03-02 09:04:00.000000','2026-03-02 09:04:00.000000',NULL,NULL,1);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:main/posts/3',2,2,'told','#2 is reopened',1,'the customer was told, and the evidence is gone: #2 is reopened. Decide whether they get a correction','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:04:00.000000','2026-03-02 09:04:00.000000','2026-03-02 09:04:00.000000','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000',NULL,NULL,2);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:other/posts/1',3,3,'shipped','v1.2.0 contains bd72e95; reply awaiting approval: waits for an approver',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000','2026-03-02 09:12:00.000000','2026-03-02 09:12:00.000000',NULL,NULL,NULL,3);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:other/posts/2',4,4,'shipped','v1.2.1 contains 933aa5c; reply held: not for customers yet: 5 % rollout',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:12:00.000000','2026-03-02 09:12:00.000000','2026-03-02 09:12:00.000000','2026-03-02 09:16:00.000000','2026-03-02 09:16:00.000000',NULL,NULL,NULL,4);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:other/posts/3',5,5,'shipped','v1.2.2 contains a9822b7; reply awaiting approval: waits for an approver',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:16:00.000000','2026-03-02 09:16:00.000000','2026-03-02 09:16:00.000000','2026-03-02 09:20:00.000000','2026-03-02 09:20:00.000000',NULL,NULL,NULL,5);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:main/posts/5',6,6,'shipped','v1.3.0 contains bed1a12; reply scheduled: goes out now',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:20:00.000000','2026-03-02 09:20:00.000000','2026-03-02 09:20:00.000000','2026-03-02 09:24:00.000000','2026-03-02 09:24:00.000000',NULL,NULL,NULL,6);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:main/posts/7',7,7,'shipped','v1.4.0 contains 16b16b5; reply scheduled: goes out now',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:24:00.000000','2026-03-02 09:24:00.000000','2026-03-02 09:24:00.000000','2026-03-02 09:28:00.000000','2026-03-02 09:28:00.000000',NULL,NULL,NULL,7);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:main/posts/9',8,8,'shipped','v1.4.1 contains b0a1895; reply scheduled: goes out now',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:28:00.000000','2026-03-02 09:28:00.000000','2026-03-02 09:28:00.000000','2026-03-02 09:32:00.000000','2026-03-02 09:32:00.000000',NULL,NULL,NULL,8);
INSERT INTO "loop" VALUES('rehearsal','rehearsal:main/posts/10',9,9,'shipped','v1.5.0 contains 8d15035; reply scheduled: waits for the settle time until 2026-03-02 10:36 UTC, then the evidence is read once more',1,'','',NULL,'',1,'[]','',NULL,NULL,NULL,NULL,'','2026-03-02 09:32:00.000000','2026-03-02 09:32:00.000000','2026-03-02 09:32:00.000000','2026-03-02 09:36:00.000000','2026-03-02 09:36:00.000000',NULL,NULL,NULL,9);
CREATE TABLE member (
	name TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	role TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	disabled_at DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT uq_member_key UNIQUE ("key")
);
INSERT INTO "member" VALUES('Kim','kim','approver','$argon2id$v=19$m=65536,t=3,p=4$RK1vN94fpOo9Mir1+zpWFA$buyYkXViYcpS5SIj6da/QRq0roc1JYROncnqXGttXi8','2026-03-02 09:36:00.000000',NULL,1);
CREATE TABLE note (
	loop_id INTEGER NOT NULL, 
	author TEXT NOT NULL, 
	text TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_note_loop_id_loop FOREIGN KEY(loop_id) REFERENCES loop (id)
);
INSERT INTO "note" VALUES(1,'tests','A note.','2026-03-02 09:36:00.000000',1);
CREATE TABLE notice (
	issue_id INTEGER NOT NULL, 
	loop_id INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	marker TEXT NOT NULL, 
	state TEXT NOT NULL, 
	why TEXT NOT NULL, 
	due_at DATETIME NOT NULL, 
	failures INTEGER NOT NULL, 
	claim TEXT, 
	claim_until DATETIME, 
	external_id TEXT, 
	created_at DATETIME NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_notice_issue_id_issue FOREIGN KEY(issue_id) REFERENCES issue (id), 
	CONSTRAINT fk_notice_loop_id_loop FOREIGN KEY(loop_id) REFERENCES loop (id), 
	CONSTRAINT uq_notice_marker UNIQUE (marker)
);
CREATE TABLE post (
	account_id INTEGER NOT NULL, 
	channel TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	canonical_id TEXT NOT NULL, 
	url TEXT NOT NULL, 
	identity_id INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	raw TEXT NOT NULL, 
	language TEXT, 
	visibility TEXT NOT NULL, 
	content_warning TEXT NOT NULL, 
	media JSON NOT NULL, 
	reply_ref JSON NOT NULL, 
	parent_id TEXT, 
	answers_id TEXT, 
	thread_id TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	edited_at DATETIME, 
	taken_in_at DATETIME NOT NULL, 
	came_by TEXT DEFAULT 'network' NOT NULL, 
	state TEXT NOT NULL, 
	read_again_at DATETIME, 
	gone_at DATETIME, 
	gone_why TEXT DEFAULT '' NOT NULL, 
	loop_id INTEGER, 
	answers_reply_id INTEGER, 
	heard_at DATETIME, 
	heard TEXT DEFAULT '' NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT ck_post_came_by CHECK (came_by IN ('network', 'address', 'hand')), 
	CONSTRAINT ck_post_state CHECK (state IN ('new', 'tagged', 'dismissed', 'context')), 
	CONSTRAINT fk_post_account_id_account FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT fk_post_identity_id_identity FOREIGN KEY(identity_id) REFERENCES identity (id), 
	CONSTRAINT uq_post_channel_canonical_id UNIQUE (channel, canonical_id)
);
INSERT INTO "post" VALUES(1,'rehearsal','1','rehearsal:main/posts/1','http://fullcircle.test/rehearsal/main/posts/1',1,'told cannot export','{"id": 1, "handle": "told", "text": "told cannot export", "at": "2026-03-02T09:00:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:main/posts/1','2026-03-02 09:00:00.000000',NULL,'2026-03-02 09:00:00.000000','network','tagged','2026-03-03 05:00:00.000000',NULL,'',1,NULL,NULL,'',1);
INSERT INTO "post" VALUES(1,'rehearsal','3','rehearsal:main/posts/3','http://fullcircle.test/rehearsal/main/posts/3',2,'corrected cannot export','{"id": 3, "handle": "corrected", "text": "corrected cannot export", "at": "2026-03-02T09:04:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:main/posts/3','2026-03-02 09:04:00.000000',NULL,'2026-03-02 09:04:00.000000','network','tagged','2026-03-03 05:04:00.000000',NULL,'',2,NULL,NULL,'',2);
INSERT INTO "post" VALUES(2,'rehearsal','1','rehearsal:other/posts/1','http://fullcircle.test/rehearsal/other/posts/1',3,'approved cannot export','{"id": 1, "handle": "approved", "text": "approved cannot export", "at": "2026-03-02T09:08:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:other/posts/1','2026-03-02 09:08:00.000000',NULL,'2026-03-02 09:08:00.000000','network','tagged','2026-03-03 05:08:00.000000',NULL,'',3,NULL,NULL,'',3);
INSERT INTO "post" VALUES(2,'rehearsal','2','rehearsal:other/posts/2','http://fullcircle.test/rehearsal/other/posts/2',4,'held cannot export','{"id": 2, "handle": "held", "text": "held cannot export", "at": "2026-03-02T09:12:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:other/posts/2','2026-03-02 09:12:00.000000',NULL,'2026-03-02 09:12:00.000000','network','tagged','2026-03-03 05:12:00.000000',NULL,'',4,NULL,NULL,'',4);
INSERT INTO "post" VALUES(2,'rehearsal','3','rehearsal:other/posts/3','http://fullcircle.test/rehearsal/other/posts/3',5,'stopped cannot export','{"id": 3, "handle": "stopped", "text": "stopped cannot export", "at": "2026-03-02T09:16:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:other/posts/3','2026-03-02 09:16:00.000000',NULL,'2026-03-02 09:16:00.000000','network','tagged','2026-03-03 05:16:00.000000',NULL,'',5,NULL,NULL,'',5);
INSERT INTO "post" VALUES(1,'rehearsal','5','rehearsal:main/posts/5','http://fullcircle.test/rehearsal/main/posts/5',6,'lost cannot export','{"id": 5, "handle": "lost", "text": "lost cannot export", "at": "2026-03-02T09:20:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:main/posts/5','2026-03-02 09:20:00.000000',NULL,'2026-03-02 09:20:00.000000','network','tagged','2026-03-03 05:20:00.000000',NULL,'',6,NULL,NULL,'',6);
INSERT INTO "post" VALUES(1,'rehearsal','7','rehearsal:main/posts/7','http://fullcircle.test/rehearsal/main/posts/7',7,'died-after cannot export','{"id": 7, "handle": "died-after", "text": "died-after cannot export", "at": "2026-03-02T09:24:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:main/posts/7','2026-03-02 09:24:00.000000',NULL,'2026-03-02 09:24:00.000000','network','tagged','2026-03-03 05:24:00.000000',NULL,'',7,NULL,NULL,'',7);
INSERT INTO "post" VALUES(1,'rehearsal','9','rehearsal:main/posts/9','http://fullcircle.test/rehearsal/main/posts/9',8,'died-before cannot export','{"id": 9, "handle": "died-before", "text": "died-before cannot export", "at": "2026-03-02T09:28:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:main/posts/9','2026-03-02 09:28:00.000000',NULL,'2026-03-02 09:28:00.000000','network','tagged','2026-03-03 05:28:00.000000',NULL,'',8,NULL,NULL,'',8);
INSERT INTO "post" VALUES(1,'rehearsal','10','rehearsal:main/posts/10','http://fullcircle.test/rehearsal/main/posts/10',9,'settling cannot export','{"id": 10, "handle": "settling", "text": "settling cannot export", "at": "2026-03-02T09:32:00+00:00", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}','en','public','','[]','{}',NULL,NULL,'rehearsal:main/posts/10','2026-03-02 09:32:00.000000',NULL,'2026-03-02 09:32:00.000000','network','tagged','2026-03-03 05:32:00.000000',NULL,'',9,NULL,NULL,'',9);
CREATE TABLE reply (
	loop_id INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	slot TEXT NOT NULL, 
	written_by TEXT, 
	account_id INTEGER NOT NULL, 
	channel TEXT NOT NULL, 
	post_id INTEGER NOT NULL, 
	parent_canonical_id TEXT NOT NULL, 
	shipment_id INTEGER, 
	evidence_digest TEXT NOT NULL, 
	state TEXT NOT NULL, 
	why TEXT NOT NULL, 
	stopped_by TEXT, 
	issue_hold BOOLEAN NOT NULL, 
	text TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	"limit" INTEGER NOT NULL, 
	cut BOOLEAN NOT NULL, 
	language TEXT, 
	visibility TEXT NOT NULL, 
	content_warning TEXT NOT NULL, 
	owed_at DATETIME NOT NULL, 
	due_at DATETIME, 
	approved_by TEXT, 
	hand_at DATETIME, 
	hand_by TEXT, 
	attempts INTEGER NOT NULL, 
	failures INTEGER NOT NULL, 
	failing_since DATETIME, 
	"key" TEXT, 
	key_at DATETIME, 
	first_attempt_at DATETIME, 
	in_flight BOOLEAN NOT NULL, 
	absent_at DATETIME, 
	absent_from DATETIME, 
	claim TEXT, 
	claim_until DATETIME, 
	external_id TEXT, 
	url TEXT, 
	posted_at DATETIME, 
	visible BOOLEAN NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT ck_reply_state CHECK (state IN ('draft','awaiting_approval','scheduled','sending','posted','held','unknown','refused','cancelled')), 
	CONSTRAINT fk_reply_account_id_account FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT fk_reply_loop_id_loop FOREIGN KEY(loop_id) REFERENCES loop (id), 
	CONSTRAINT fk_reply_post_id_post FOREIGN KEY(post_id) REFERENCES post (id), 
	CONSTRAINT fk_reply_shipment_id_shipment FOREIGN KEY(shipment_id) REFERENCES shipment (id), 
	CONSTRAINT uq_reply_channel_parent_canonical_id_round_slot UNIQUE (channel, parent_canonical_id, round, slot), 
	CONSTRAINT uq_reply_loop_id_round_slot UNIQUE (loop_id, round, slot)
);
INSERT INTO "reply" VALUES(1,1,'fixed','fixed',NULL,1,'rehearsal',1,'rehearsal:main/posts/1',1,'ca56e4d430d1520d7dd979895d44d3ed7c77eeee7f615f1882a6f6f996b9fadd','posted','said',NULL,0,'@told Hi told, the problem you reported is fixed in v1.0.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',162,500,0,'en','public','','2026-03-02 09:04:00.000000','2026-03-02 09:04:00.000000',NULL,NULL,NULL,1,0,NULL,'21b3caf31b9e7e95fa19a30c881d1f7d','2026-03-02 09:04:00.000000','2026-03-02 09:04:00.000000',0,NULL,NULL,NULL,NULL,'2','http://fullcircle.test/rehearsal/main/posts/2','2026-03-02 09:04:00.000000',1,1);
INSERT INTO "reply" VALUES(2,1,'fixed','fixed',NULL,1,'rehearsal',2,'rehearsal:main/posts/3',2,'d689eba9905bde21303aa531381c14fa10925bc1095ba397dd4cb5fb14b015b6','posted','said',NULL,0,'@corrected Hi corrected, the problem you reported is fixed in v1.0.1 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',172,500,0,'en','public','','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000',NULL,NULL,NULL,1,0,NULL,'469bdb11216c9d313a22c4c92b1a7ee4','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000',0,NULL,NULL,NULL,NULL,'4','http://fullcircle.test/rehearsal/main/posts/4','2026-03-02 09:08:00.000000',1,2);
INSERT INTO "reply" VALUES(2,1,'correction','correction',NULL,1,'rehearsal',2,'rehearsal:main/posts/3',NULL,'','draft','a draft: nothing is said unless a person approves it',NULL,0,'@corrected Hi corrected, we are sorry: we told you too early that this problem was fixed. The fix is not available yet. We will reply here once it really is.',157,500,0,'en','public','','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000',NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,3);
INSERT INTO "reply" VALUES(3,1,'fixed','fixed',NULL,2,'rehearsal',3,'rehearsal:other/posts/1',3,'a803c0a321aec526093e67e4aafb76f0ebdf59b31a698ff93cbc2cd086c54eeb','awaiting_approval','waits for an approver',NULL,0,'@approved Hi approved, the problem you reported is fixed in v1.2.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',170,500,0,'en','public','','2026-03-02 09:12:00.000000','2026-03-02 09:12:00.000000',NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,4);
INSERT INTO "reply" VALUES(4,1,'fixed','fixed',NULL,2,'rehearsal',4,'rehearsal:other/posts/2',4,'d467c369ad6d8d83b5d611efb17230b7b259cc53ab2d30a14461788dd10c8d29','held','not for customers yet: 5 % rollout',NULL,1,'@held Hi held, the problem you reported is fixed in v1.2.1 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',162,500,0,'en','public','','2026-03-02 09:16:00.000000','2026-03-02 09:16:00.000000',NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,5);
INSERT INTO "reply" VALUES(5,1,'fixed','fixed',NULL,2,'rehearsal',5,'rehearsal:other/posts/3',5,'764ec1d194c4ce106b0654a9937503b797f47719b390291d36987f976a747908','held','held by tests','tests',0,'@stopped Hi stopped, the problem you reported is fixed in v1.2.2 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',168,500,0,'en','public','','2026-03-02 09:20:00.000000','2026-03-02 09:20:00.000000',NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,6);
INSERT INTO "reply" VALUES(6,1,'fixed','fixed',NULL,1,'rehearsal',6,'rehearsal:main/posts/5',6,'7ef08b6ff75ac551121a51245ba6905ff7acdfa7ec5de85ea0e0b4b9e062a40f','unknown','the rehearsal stage plays ''unknown'' on send; looking in the thread',NULL,0,'@lost Hi lost, the problem you reported is fixed in v1.3.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',162,500,0,'en','public','','2026-03-02 09:24:00.000000','2026-03-02 09:24:00.000000',NULL,NULL,NULL,1,0,'2026-03-02 09:24:00.000000','164d7eb436e36b340e5c8dbb72aa5065','2026-03-02 09:24:00.000000','2026-03-02 09:24:00.000000',1,NULL,'2026-03-02 09:24:20.000000',NULL,NULL,NULL,NULL,NULL,1,7);
INSERT INTO "reply" VALUES(7,1,'fixed','fixed',NULL,1,'rehearsal',7,'rehearsal:main/posts/7',7,'9d8345ff9185341618943c04e124863469d6cb35c345919bd641be8378e01c11','sending','is being said',NULL,0,'@died-after Hi died-after, the problem you reported is fixed in v1.4.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',174,500,0,'en','public','','2026-03-02 09:28:00.000000','2026-03-02 09:28:00.000000',NULL,NULL,NULL,1,0,NULL,'e2d58be540c7b5254c1f768c80ac838c','2026-03-02 09:28:00.000000','2026-03-02 09:28:00.000000',0,NULL,NULL,'00491c7e12bcff3aad0a5e9716bb725c','2026-03-02 09:29:00.000000',NULL,NULL,NULL,1,8);
INSERT INTO "reply" VALUES(8,1,'fixed','fixed',NULL,1,'rehearsal',8,'rehearsal:main/posts/9',8,'49f8e23ccb3de2727363f60bb8f151a337e257aea819023945721742a8e7d642','sending','is being said',NULL,0,'@died-before Hi died-before, the problem you reported is fixed in v1.4.1 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',176,500,0,'en','public','','2026-03-02 09:32:00.000000','2026-03-02 09:32:00.000000',NULL,NULL,NULL,1,0,NULL,'82f2e4fc1c775b36d652786f4e01b838','2026-03-02 09:32:00.000000','2026-03-02 09:32:00.000000',0,NULL,NULL,'9199e83542898eca0e0c1da0aa9d728f','2026-03-02 09:33:00.000000',NULL,NULL,NULL,1,9);
INSERT INTO "reply" VALUES(9,1,'fixed','fixed',NULL,1,'rehearsal',9,'rehearsal:main/posts/10',9,'19c75deec1aa2465ea1e5ddb43e2537eee46af275a3472b05b9bfa45a825f165','scheduled','waits for the settle time until 2026-03-02 10:36 UTC, then the evidence is read once more',NULL,0,'@settling Hi settling, the problem you reported is fixed in v1.5.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.',170,500,0,'en','public','','2026-03-02 09:36:00.000000','2026-03-02 10:36:00.000000',NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,10);
INSERT INTO "reply" VALUES(1,1,'progress','progress/1','tests',1,'rehearsal',1,'rehearsal:main/posts/1',NULL,'','scheduled','written by tests',NULL,0,'@told A word by hand.',21,500,0,'en','public','','2026-03-02 09:36:00.000000','2026-03-02 09:36:00.000000',NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,11);
CREATE TABLE request (
	token_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	loop_id INTEGER, 
	at DATETIME NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT uq_request_token_id_key UNIQUE (token_id, "key")
);
CREATE TABLE shipment (
	issue_id INTEGER NOT NULL, 
	platform TEXT DEFAULT '' NOT NULL, 
	label TEXT NOT NULL, 
	url TEXT NOT NULL, 
	public_label TEXT NOT NULL, 
	public_url TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	fixed_at DATETIME NOT NULL, 
	fix TEXT NOT NULL, 
	evidence JSON NOT NULL, 
	digest TEXT NOT NULL, 
	first_seen_at DATETIME NOT NULL, 
	withdrawn_at DATETIME, 
	withdrawn_why TEXT DEFAULT '' NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_shipment_issue_id_issue FOREIGN KEY(issue_id) REFERENCES issue (id)
);
INSERT INTO "shipment" VALUES(1,'','v1.0.0','http://fullcircle.test/rehearsal/main/board#release-1','v1.0.0','http://fullcircle.test/rehearsal/main/board#release-1','2026-03-02 09:04:00.000000','2026-03-02 09:02:00.000000','6edd44be20bb95762bac026c2504d5d86ecd1dac','[{"kind": "closed", "level": 0, "label": "#1 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-1", "at": "2026-03-02T09:02:00+00:00"}, {"kind": "change", "level": 1, "label": "6edd44b closes #1", "url": "http://fullcircle.test/rehearsal/main/board#issue-1", "at": "2026-03-02T09:02:00+00:00"}, {"kind": "contained", "level": 2, "label": "6edd44b contained in v1.0.0", "url": "http://fullcircle.test/rehearsal/main/board#release-1", "at": "2026-03-02T09:04:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.0.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-1", "at": "2026-03-02T09:04:00+00:00"}]','ca56e4d430d1520d7dd979895d44d3ed7c77eeee7f615f1882a6f6f996b9fadd','2026-03-02 09:04:00.000000',NULL,'',1);
INSERT INTO "shipment" VALUES(2,'','v1.0.1','http://fullcircle.test/rehearsal/main/board#release-2','v1.0.1','http://fullcircle.test/rehearsal/main/board#release-2','2026-03-02 09:08:00.000000','2026-03-02 09:06:00.000000','2a5f7b405054a56644c25aa5a6fdd10c33e3f099','[{"kind": "closed", "level": 0, "label": "#2 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-2", "at": "2026-03-02T09:06:00+00:00"}, {"kind": "change", "level": 1, "label": "2a5f7b4 closes #2", "url": "http://fullcircle.test/rehearsal/main/board#issue-2", "at": "2026-03-02T09:06:00+00:00"}, {"kind": "contained", "level": 2, "label": "2a5f7b4 contained in v1.0.1", "url": "http://fullcircle.test/rehearsal/main/board#release-2", "at": "2026-03-02T09:08:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.0.1 published", "url": "http://fullcircle.test/rehearsal/main/board#release-2", "at": "2026-03-02T09:08:00+00:00"}]','d689eba9905bde21303aa531381c14fa10925bc1095ba397dd4cb5fb14b015b6','2026-03-02 09:08:00.000000','2026-03-02 09:08:00.000000','#2 is reopened',2);
INSERT INTO "shipment" VALUES(3,'','v1.2.0','http://fullcircle.test/rehearsal/main/board#release-3','v1.2.0','http://fullcircle.test/rehearsal/main/board#release-3','2026-03-02 09:12:00.000000','2026-03-02 09:10:00.000000','bd72e95c6184eb7fcefb0a67fd89b182f5db4c03','[{"kind": "closed", "level": 0, "label": "#3 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-3", "at": "2026-03-02T09:10:00+00:00"}, {"kind": "change", "level": 1, "label": "bd72e95 closes #3", "url": "http://fullcircle.test/rehearsal/main/board#issue-3", "at": "2026-03-02T09:10:00+00:00"}, {"kind": "contained", "level": 2, "label": "bd72e95 contained in v1.2.0", "url": "http://fullcircle.test/rehearsal/main/board#release-3", "at": "2026-03-02T09:12:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.2.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-3", "at": "2026-03-02T09:12:00+00:00"}]','a803c0a321aec526093e67e4aafb76f0ebdf59b31a698ff93cbc2cd086c54eeb','2026-03-02 09:12:00.000000',NULL,'',3);
INSERT INTO "shipment" VALUES(4,'','v1.2.1','http://fullcircle.test/rehearsal/main/board#release-4','v1.2.1','http://fullcircle.test/rehearsal/main/board#release-4','2026-03-02 09:16:00.000000','2026-03-02 09:14:00.000000','933aa5c90db56f16fa5a323f68aa55227c975766','[{"kind": "closed", "level": 0, "label": "#4 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-4", "at": "2026-03-02T09:14:00+00:00"}, {"kind": "change", "level": 1, "label": "933aa5c closes #4", "url": "http://fullcircle.test/rehearsal/main/board#issue-4", "at": "2026-03-02T09:14:00+00:00"}, {"kind": "contained", "level": 2, "label": "933aa5c contained in v1.2.1", "url": "http://fullcircle.test/rehearsal/main/board#release-4", "at": "2026-03-02T09:16:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.2.1 published", "url": "http://fullcircle.test/rehearsal/main/board#release-4", "at": "2026-03-02T09:16:00+00:00"}]','d467c369ad6d8d83b5d611efb17230b7b259cc53ab2d30a14461788dd10c8d29','2026-03-02 09:16:00.000000',NULL,'',4);
INSERT INTO "shipment" VALUES(5,'','v1.2.2','http://fullcircle.test/rehearsal/main/board#release-5','v1.2.2','http://fullcircle.test/rehearsal/main/board#release-5','2026-03-02 09:20:00.000000','2026-03-02 09:18:00.000000','a9822b7bb26dac1f9111cbf05764476752a1313e','[{"kind": "closed", "level": 0, "label": "#5 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-5", "at": "2026-03-02T09:18:00+00:00"}, {"kind": "change", "level": 1, "label": "a9822b7 closes #5", "url": "http://fullcircle.test/rehearsal/main/board#issue-5", "at": "2026-03-02T09:18:00+00:00"}, {"kind": "contained", "level": 2, "label": "a9822b7 contained in v1.2.2", "url": "http://fullcircle.test/rehearsal/main/board#release-5", "at": "2026-03-02T09:20:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.2.2 published", "url": "http://fullcircle.test/rehearsal/main/board#release-5", "at": "2026-03-02T09:20:00+00:00"}]','764ec1d194c4ce106b0654a9937503b797f47719b390291d36987f976a747908','2026-03-02 09:20:00.000000',NULL,'',5);
INSERT INTO "shipment" VALUES(6,'','v1.3.0','http://fullcircle.test/rehearsal/main/board#release-6','v1.3.0','http://fullcircle.test/rehearsal/main/board#release-6','2026-03-02 09:24:00.000000','2026-03-02 09:22:00.000000','bed1a128dda3fd14a39c6975f5ddb3a8a0f178bf','[{"kind": "closed", "level": 0, "label": "#6 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-6", "at": "2026-03-02T09:22:00+00:00"}, {"kind": "change", "level": 1, "label": "bed1a12 closes #6", "url": "http://fullcircle.test/rehearsal/main/board#issue-6", "at": "2026-03-02T09:22:00+00:00"}, {"kind": "contained", "level": 2, "label": "bed1a12 contained in v1.3.0", "url": "http://fullcircle.test/rehearsal/main/board#release-6", "at": "2026-03-02T09:24:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.3.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-6", "at": "2026-03-02T09:24:00+00:00"}]','7ef08b6ff75ac551121a51245ba6905ff7acdfa7ec5de85ea0e0b4b9e062a40f','2026-03-02 09:24:00.000000',NULL,'',6);
INSERT INTO "shipment" VALUES(7,'','v1.4.0','http://fullcircle.test/rehearsal/main/board#release-7','v1.4.0','http://fullcircle.test/rehearsal/main/board#release-7','2026-03-02 09:28:00.000000','2026-03-02 09:26:00.000000','16b16b565c12a5a533d86f296df9676b5e2b4870','[{"kind": "closed", "level": 0, "label": "#7 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-7", "at": "2026-03-02T09:26:00+00:00"}, {"kind": "change", "level": 1, "label": "16b16b5 closes #7", "url": "http://fullcircle.test/rehearsal/main/board#issue-7", "at": "2026-03-02T09:26:00+00:00"}, {"kind": "contained", "level": 2, "label": "16b16b5 contained in v1.4.0", "url": "http://fullcircle.test/rehearsal/main/board#release-7", "at": "2026-03-02T09:28:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.4.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-7", "at": "2026-03-02T09:28:00+00:00"}]','9d8345ff9185341618943c04e124863469d6cb35c345919bd641be8378e01c11','2026-03-02 09:28:00.000000',NULL,'',7);
INSERT INTO "shipment" VALUES(8,'','v1.4.1','http://fullcircle.test/rehearsal/main/board#release-8','v1.4.1','http://fullcircle.test/rehearsal/main/board#release-8','2026-03-02 09:32:00.000000','2026-03-02 09:30:00.000000','b0a1895d621104b3df32f9099c04cf87bcc0f85b','[{"kind": "closed", "level": 0, "label": "#8 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-8", "at": "2026-03-02T09:30:00+00:00"}, {"kind": "change", "level": 1, "label": "b0a1895 closes #8", "url": "http://fullcircle.test/rehearsal/main/board#issue-8", "at": "2026-03-02T09:30:00+00:00"}, {"kind": "contained", "level": 2, "label": "b0a1895 contained in v1.4.1", "url": "http://fullcircle.test/rehearsal/main/board#release-8", "at": "2026-03-02T09:32:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.4.1 published", "url": "http://fullcircle.test/rehearsal/main/board#release-8", "at": "2026-03-02T09:32:00+00:00"}]','49f8e23ccb3de2727363f60bb8f151a337e257aea819023945721742a8e7d642','2026-03-02 09:32:00.000000',NULL,'',8);
INSERT INTO "shipment" VALUES(9,'','v1.5.0','http://fullcircle.test/rehearsal/main/board#release-9','v1.5.0','http://fullcircle.test/rehearsal/main/board#release-9','2026-03-02 09:36:00.000000','2026-03-02 09:34:00.000000','8d15035cd0ef9af7242d5890be9368f11b155dad','[{"kind": "closed", "level": 0, "label": "#9 closed as completed", "url": "http://fullcircle.test/rehearsal/main/board#issue-9", "at": "2026-03-02T09:34:00+00:00"}, {"kind": "change", "level": 1, "label": "8d15035 closes #9", "url": "http://fullcircle.test/rehearsal/main/board#issue-9", "at": "2026-03-02T09:34:00+00:00"}, {"kind": "contained", "level": 2, "label": "8d15035 contained in v1.5.0", "url": "http://fullcircle.test/rehearsal/main/board#release-9", "at": "2026-03-02T09:36:00+00:00"}, {"kind": "release", "level": 2, "label": "v1.5.0 published", "url": "http://fullcircle.test/rehearsal/main/board#release-9", "at": "2026-03-02T09:36:00+00:00"}]','19c75deec1aa2465ea1e5ddb43e2537eee46af275a3472b05b9bfa45a825f165','2026-03-02 09:36:00.000000',NULL,'',9);
CREATE TABLE spending (
	account_id INTEGER NOT NULL, 
	month VARCHAR(7) NOT NULL, 
	micros BIGINT NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_spending_account_id_account FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_spending_account_id_month UNIQUE (account_id, month)
);
CREATE TABLE stage_doc (
	scene TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	doc JSON NOT NULL, 
	id INTEGER NOT NULL, 
	CONSTRAINT pk_stage_doc PRIMARY KEY (id), 
	CONSTRAINT uq_stage_doc_scene_kind_number UNIQUE (scene, kind, number)
);
INSERT INTO "stage_doc" VALUES('main/posts','post',1,'{"handle": "told", "text": "told cannot export", "at": "2026-03-02T09:00:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',1);
INSERT INTO "stage_doc" VALUES('main/issues','issue',1,'{"title": "What told found", "body": "", "updated_at": "2026-03-02T09:02:00Z", "marker": "issue-d479a8b0379bb8c8", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:02:00Z", "reopened": false, "closes": 1, "fix": "6edd44be20bb95762bac026c2504d5d86ecd1dac", "fixed_turn": 2, "deleted": false}',2);
INSERT INTO "stage_doc" VALUES('main/turns','turn',1,'{"issue": 1, "at": "2026-03-02T09:00:00Z"}',3);
INSERT INTO "stage_doc" VALUES('main/turns','turn',2,'{"issue": 1, "at": "2026-03-02T09:02:00Z"}',4);
INSERT INTO "stage_doc" VALUES('main/turns','turn',3,'{"issue": 1, "at": "2026-03-02T09:02:00Z"}',5);
INSERT INTO "stage_doc" VALUES('main/turns','turn',4,'{"issue": null, "at": "2026-03-02T09:04:00Z"}',6);
INSERT INTO "stage_doc" VALUES('main/releases','release',1,'{"label": "v1.0.0", "standing": "published", "created_at": "2026-03-02T09:04:00Z", "published_at": "2026-03-02T09:04:00Z", "cut_turn": 4, "deleted": false}',7);
INSERT INTO "stage_doc" VALUES('main/turns','turn',5,'{"issue": null, "at": "2026-03-02T09:04:00Z"}',8);
INSERT INTO "stage_doc" VALUES('main/posts','post',2,'{"handle": "acme", "text": "@told Hi told, the problem you reported is fixed in v1.0.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.", "at": "2026-03-02T09:04:00Z", "name": "Acme", "language": "en", "in_reply_to": 1, "brand": true, "visibility": "public", "followers": null, "key": "21b3caf31b9e7e95fa19a30c881d1f7d", "deleted": false}',9);
INSERT INTO "stage_doc" VALUES('main/blocks','block',1,'{"issue": 1, "text": "### Nobody waits for this any more\n\n<sub>Kept up to date by Fullcircle.</sub>\n<!-- fullcircle:issue-d479a8b0379bb8c8 -->", "at": "2026-03-02T09:04:00Z", "removed": false}',10);
INSERT INTO "stage_doc" VALUES('main/posts','post',3,'{"handle": "corrected", "text": "corrected cannot export", "at": "2026-03-02T09:04:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',11);
INSERT INTO "stage_doc" VALUES('main/issues','issue',2,'{"title": "What corrected found", "body": "", "updated_at": "2026-03-02T09:08:00Z", "marker": "issue-ed511994823157f4", "state": "open", "outcome": null, "closed_at": null, "reopened": true, "closes": 1, "fix": null, "fixed_turn": null, "deleted": false}',12);
INSERT INTO "stage_doc" VALUES('main/turns','turn',6,'{"issue": 2, "at": "2026-03-02T09:04:00Z"}',13);
INSERT INTO "stage_doc" VALUES('main/turns','turn',7,'{"issue": 2, "at": "2026-03-02T09:06:00Z"}',14);
INSERT INTO "stage_doc" VALUES('main/turns','turn',8,'{"issue": 2, "at": "2026-03-02T09:06:00Z"}',15);
INSERT INTO "stage_doc" VALUES('main/turns','turn',9,'{"issue": null, "at": "2026-03-02T09:08:00Z"}',16);
INSERT INTO "stage_doc" VALUES('main/releases','release',2,'{"label": "v1.0.1", "standing": "published", "created_at": "2026-03-02T09:08:00Z", "published_at": "2026-03-02T09:08:00Z", "cut_turn": 9, "deleted": false}',17);
INSERT INTO "stage_doc" VALUES('main/turns','turn',10,'{"issue": null, "at": "2026-03-02T09:08:00Z"}',18);
INSERT INTO "stage_doc" VALUES('main/posts','post',4,'{"handle": "acme", "text": "@corrected Hi corrected, the problem you reported is fixed in v1.0.1 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.", "at": "2026-03-02T09:08:00Z", "name": "Acme", "language": "en", "in_reply_to": 3, "brand": true, "visibility": "public", "followers": null, "key": "469bdb11216c9d313a22c4c92b1a7ee4", "deleted": false}',19);
INSERT INTO "stage_doc" VALUES('main/blocks','block',2,'{"issue": 2, "text": "### Nobody waits for this any more\n\n<sub>Kept up to date by Fullcircle.</sub>\n<!-- fullcircle:issue-ed511994823157f4 -->", "at": "2026-03-02T09:08:00Z", "removed": false}',20);
INSERT INTO "stage_doc" VALUES('main/turns','turn',11,'{"issue": 2, "at": "2026-03-02T09:08:00Z"}',21);
INSERT INTO "stage_doc" VALUES('other/posts','post',1,'{"handle": "approved", "text": "approved cannot export", "at": "2026-03-02T09:08:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',22);
INSERT INTO "stage_doc" VALUES('main/issues','issue',3,'{"title": "What approved found", "body": "", "updated_at": "2026-03-02T09:10:00Z", "marker": "issue-bcb4b86a3aef6a13", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:10:00Z", "reopened": false, "closes": 1, "fix": "bd72e95c6184eb7fcefb0a67fd89b182f5db4c03", "fixed_turn": 13, "deleted": false}',23);
INSERT INTO "stage_doc" VALUES('main/turns','turn',12,'{"issue": 3, "at": "2026-03-02T09:08:00Z"}',24);
INSERT INTO "stage_doc" VALUES('main/turns','turn',13,'{"issue": 3, "at": "2026-03-02T09:10:00Z"}',25);
INSERT INTO "stage_doc" VALUES('main/turns','turn',14,'{"issue": 3, "at": "2026-03-02T09:10:00Z"}',26);
INSERT INTO "stage_doc" VALUES('main/turns','turn',15,'{"issue": null, "at": "2026-03-02T09:12:00Z"}',27);
INSERT INTO "stage_doc" VALUES('main/releases','release',3,'{"label": "v1.2.0", "standing": "published", "created_at": "2026-03-02T09:12:00Z", "published_at": "2026-03-02T09:12:00Z", "cut_turn": 15, "deleted": false}',28);
INSERT INTO "stage_doc" VALUES('main/turns','turn',16,'{"issue": null, "at": "2026-03-02T09:12:00Z"}',29);
INSERT INTO "stage_doc" VALUES('other/posts','post',2,'{"handle": "held", "text": "held cannot export", "at": "2026-03-02T09:12:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',30);
INSERT INTO "stage_doc" VALUES('main/issues','issue',4,'{"title": "What held found", "body": "", "updated_at": "2026-03-02T09:14:00Z", "marker": "issue-f99ebfe347f10452", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:14:00Z", "reopened": false, "closes": 1, "fix": "933aa5c90db56f16fa5a323f68aa55227c975766", "fixed_turn": 18, "deleted": false}',31);
INSERT INTO "stage_doc" VALUES('main/turns','turn',17,'{"issue": 4, "at": "2026-03-02T09:12:00Z"}',32);
INSERT INTO "stage_doc" VALUES('main/turns','turn',18,'{"issue": 4, "at": "2026-03-02T09:14:00Z"}',33);
INSERT INTO "stage_doc" VALUES('main/turns','turn',19,'{"issue": 4, "at": "2026-03-02T09:14:00Z"}',34);
INSERT INTO "stage_doc" VALUES('main/turns','turn',20,'{"issue": null, "at": "2026-03-02T09:16:00Z"}',35);
INSERT INTO "stage_doc" VALUES('main/releases','release',4,'{"label": "v1.2.1", "standing": "published", "created_at": "2026-03-02T09:16:00Z", "published_at": "2026-03-02T09:16:00Z", "cut_turn": 20, "deleted": false}',36);
INSERT INTO "stage_doc" VALUES('main/turns','turn',21,'{"issue": null, "at": "2026-03-02T09:16:00Z"}',37);
INSERT INTO "stage_doc" VALUES('other/posts','post',3,'{"handle": "stopped", "text": "stopped cannot export", "at": "2026-03-02T09:16:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',38);
INSERT INTO "stage_doc" VALUES('main/issues','issue',5,'{"title": "What stopped found", "body": "", "updated_at": "2026-03-02T09:18:00Z", "marker": "issue-0d213d0461b488b7", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:18:00Z", "reopened": false, "closes": 1, "fix": "a9822b7bb26dac1f9111cbf05764476752a1313e", "fixed_turn": 23, "deleted": false}',39);
INSERT INTO "stage_doc" VALUES('main/turns','turn',22,'{"issue": 5, "at": "2026-03-02T09:16:00Z"}',40);
INSERT INTO "stage_doc" VALUES('main/turns','turn',23,'{"issue": 5, "at": "2026-03-02T09:18:00Z"}',41);
INSERT INTO "stage_doc" VALUES('main/turns','turn',24,'{"issue": 5, "at": "2026-03-02T09:18:00Z"}',42);
INSERT INTO "stage_doc" VALUES('main/turns','turn',25,'{"issue": null, "at": "2026-03-02T09:20:00Z"}',43);
INSERT INTO "stage_doc" VALUES('main/releases','release',5,'{"label": "v1.2.2", "standing": "published", "created_at": "2026-03-02T09:20:00Z", "published_at": "2026-03-02T09:20:00Z", "cut_turn": 25, "deleted": false}',44);
INSERT INTO "stage_doc" VALUES('main/turns','turn',26,'{"issue": null, "at": "2026-03-02T09:20:00Z"}',45);
INSERT INTO "stage_doc" VALUES('main/blocks','block',3,'{"issue": 3, "text": "### 1 customer waits for this\n\nOn Rehearsal, since 2 March 2026.\n\n> approved cannot export\n\napproved, [Rehearsal, 2 March 2026](http://fullcircle.test/rehearsal/other/posts/1)\n\n<sub>Kept up to date by Fullcircle.</sub>\n<!-- fullcircle:issue-bcb4b86a3aef6a13 -->", "at": "2026-03-02T09:20:00Z", "removed": false}',46);
INSERT INTO "stage_doc" VALUES('main/blocks','block',4,'{"issue": 4, "text": "### 1 customer waits for this\n\nOn Rehearsal, since 2 March 2026.\n\n> held cannot export\n\nheld, [Rehearsal, 2 March 2026](http://fullcircle.test/rehearsal/other/posts/2)\n\n<sub>Kept up to date by Fullcircle.</sub>\n<!-- fullcircle:issue-f99ebfe347f10452 -->", "at": "2026-03-02T09:20:00Z", "removed": false}',47);
INSERT INTO "stage_doc" VALUES('main/blocks','block',5,'{"issue": 5, "text": "### 1 customer waits for this\n\nOn Rehearsal, since 2 March 2026.\n\n> stopped cannot export\n\nstopped, [Rehearsal, 2 March 2026](http://fullcircle.test/rehearsal/other/posts/3)\n\n<sub>Kept up to date by Fullcircle.</sub>\n<!-- fullcircle:issue-0d213d0461b488b7 -->", "at": "2026-03-02T09:20:00Z", "removed": false}',48);
INSERT INTO "stage_doc" VALUES('main/posts','post',5,'{"handle": "lost", "text": "lost cannot export", "at": "2026-03-02T09:20:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',49);
INSERT INTO "stage_doc" VALUES('main/issues','issue',6,'{"title": "What lost found", "body": "", "updated_at": "2026-03-02T09:22:00Z", "marker": "issue-8e861d847ee0937c", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:22:00Z", "reopened": false, "closes": 1, "fix": "bed1a128dda3fd14a39c6975f5ddb3a8a0f178bf", "fixed_turn": 28, "deleted": false}',50);
INSERT INTO "stage_doc" VALUES('main/turns','turn',27,'{"issue": 6, "at": "2026-03-02T09:20:00Z"}',51);
INSERT INTO "stage_doc" VALUES('main/turns','turn',28,'{"issue": 6, "at": "2026-03-02T09:22:00Z"}',52);
INSERT INTO "stage_doc" VALUES('main/turns','turn',29,'{"issue": 6, "at": "2026-03-02T09:22:00Z"}',53);
INSERT INTO "stage_doc" VALUES('main/turns','turn',30,'{"issue": null, "at": "2026-03-02T09:24:00Z"}',54);
INSERT INTO "stage_doc" VALUES('main/releases','release',6,'{"label": "v1.3.0", "standing": "published", "created_at": "2026-03-02T09:24:00Z", "published_at": "2026-03-02T09:24:00Z", "cut_turn": 30, "deleted": false}',55);
INSERT INTO "stage_doc" VALUES('main/turns','turn',31,'{"issue": null, "at": "2026-03-02T09:24:00Z"}',56);
INSERT INTO "stage_doc" VALUES('main/square-faults','square-fault',1,'{"call": "send", "kind": "unknown", "accepted": true, "in_flight": true, "retry_seconds": null, "times": 0, "lifted": true}',57);
INSERT INTO "stage_doc" VALUES('main/posts','post',6,'{"handle": "acme", "text": "@lost Hi lost, the problem you reported is fixed in v1.3.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.", "at": "2026-03-02T09:24:00Z", "name": "Acme", "language": "en", "in_reply_to": 5, "brand": true, "visibility": "public", "followers": null, "key": "164d7eb436e36b340e5c8dbb72aa5065", "deleted": false}',58);
INSERT INTO "stage_doc" VALUES('main/posts','post',7,'{"handle": "died-after", "text": "died-after cannot export", "at": "2026-03-02T09:24:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',59);
INSERT INTO "stage_doc" VALUES('main/issues','issue',7,'{"title": "What died-after found", "body": "", "updated_at": "2026-03-02T09:26:00Z", "marker": "issue-65c78cacf810208b", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:26:00Z", "reopened": false, "closes": 1, "fix": "16b16b565c12a5a533d86f296df9676b5e2b4870", "fixed_turn": 33, "deleted": false}',60);
INSERT INTO "stage_doc" VALUES('main/turns','turn',32,'{"issue": 7, "at": "2026-03-02T09:24:00Z"}',61);
INSERT INTO "stage_doc" VALUES('main/turns','turn',33,'{"issue": 7, "at": "2026-03-02T09:26:00Z"}',62);
INSERT INTO "stage_doc" VALUES('main/turns','turn',34,'{"issue": 7, "at": "2026-03-02T09:26:00Z"}',63);
INSERT INTO "stage_doc" VALUES('main/turns','turn',35,'{"issue": null, "at": "2026-03-02T09:28:00Z"}',64);
INSERT INTO "stage_doc" VALUES('main/releases','release',7,'{"label": "v1.4.0", "standing": "published", "created_at": "2026-03-02T09:28:00Z", "published_at": "2026-03-02T09:28:00Z", "cut_turn": 35, "deleted": false}',65);
INSERT INTO "stage_doc" VALUES('main/turns','turn',36,'{"issue": null, "at": "2026-03-02T09:28:00Z"}',66);
INSERT INTO "stage_doc" VALUES('main/posts','post',8,'{"handle": "acme", "text": "@died-after Hi died-after, the problem you reported is fixed in v1.4.0 of Acme. Thank you for telling us about it. Does it work for you now? A short reply here would help us.", "at": "2026-03-02T09:28:00Z", "name": "Acme", "language": "en", "in_reply_to": 7, "brand": true, "visibility": "public", "followers": null, "key": "e2d58be540c7b5254c1f768c80ac838c", "deleted": false}',67);
INSERT INTO "stage_doc" VALUES('main/posts','post',9,'{"handle": "died-before", "text": "died-before cannot export", "at": "2026-03-02T09:28:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',68);
INSERT INTO "stage_doc" VALUES('main/issues','issue',8,'{"title": "What died-before found", "body": "", "updated_at": "2026-03-02T09:30:00Z", "marker": "issue-b2d8e403de0174d8", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:30:00Z", "reopened": false, "closes": 1, "fix": "b0a1895d621104b3df32f9099c04cf87bcc0f85b", "fixed_turn": 38, "deleted": false}',69);
INSERT INTO "stage_doc" VALUES('main/turns','turn',37,'{"issue": 8, "at": "2026-03-02T09:28:00Z"}',70);
INSERT INTO "stage_doc" VALUES('main/turns','turn',38,'{"issue": 8, "at": "2026-03-02T09:30:00Z"}',71);
INSERT INTO "stage_doc" VALUES('main/turns','turn',39,'{"issue": 8, "at": "2026-03-02T09:30:00Z"}',72);
INSERT INTO "stage_doc" VALUES('main/turns','turn',40,'{"issue": null, "at": "2026-03-02T09:32:00Z"}',73);
INSERT INTO "stage_doc" VALUES('main/releases','release',8,'{"label": "v1.4.1", "standing": "published", "created_at": "2026-03-02T09:32:00Z", "published_at": "2026-03-02T09:32:00Z", "cut_turn": 40, "deleted": false}',74);
INSERT INTO "stage_doc" VALUES('main/turns','turn',41,'{"issue": null, "at": "2026-03-02T09:32:00Z"}',75);
INSERT INTO "stage_doc" VALUES('main/posts','post',10,'{"handle": "settling", "text": "settling cannot export", "at": "2026-03-02T09:32:00Z", "name": "", "language": "en", "in_reply_to": null, "brand": false, "visibility": "public", "followers": null, "key": "", "deleted": false}',76);
INSERT INTO "stage_doc" VALUES('main/issues','issue',9,'{"title": "What settling found", "body": "", "updated_at": "2026-03-02T09:34:00Z", "marker": "issue-2176ddb9ef7f673c", "state": "closed", "outcome": "completed", "closed_at": "2026-03-02T09:34:00Z", "reopened": false, "closes": 1, "fix": "8d15035cd0ef9af7242d5890be9368f11b155dad", "fixed_turn": 43, "deleted": false}',77);
INSERT INTO "stage_doc" VALUES('main/turns','turn',42,'{"issue": 9, "at": "2026-03-02T09:32:00Z"}',78);
INSERT INTO "stage_doc" VALUES('main/turns','turn',43,'{"issue": 9, "at": "2026-03-02T09:34:00Z"}',79);
INSERT INTO "stage_doc" VALUES('main/turns','turn',44,'{"issue": 9, "at": "2026-03-02T09:34:00Z"}',80);
INSERT INTO "stage_doc" VALUES('main/turns','turn',45,'{"issue": null, "at": "2026-03-02T09:36:00Z"}',81);
INSERT INTO "stage_doc" VALUES('main/releases','release',9,'{"label": "v1.5.0", "standing": "published", "created_at": "2026-03-02T09:36:00Z", "published_at": "2026-03-02T09:36:00Z", "cut_turn": 45, "deleted": false}',82);
INSERT INTO "stage_doc" VALUES('main/turns','turn',46,'{"issue": null, "at": "2026-03-02T09:36:00Z"}',83);
CREATE TABLE template (
	scope INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	language TEXT NOT NULL, 
	text TEXT NOT NULL, 
	changed_at DATETIME NOT NULL, 
	changed_by TEXT NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT uq_template_scope_kind_language UNIQUE (scope, kind, language)
);
INSERT INTO "template" VALUES(0,'fixed','en','{{ customer }}, it is out in {{ version }}. Does it work?','2026-03-02 09:36:00.000000','tests',1);
CREATE TABLE throttle (
	"key" TEXT NOT NULL, 
	tries INTEGER NOT NULL, 
	last_at DATETIME NOT NULL, 
	until DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT uq_throttle_key UNIQUE ("key")
);
CREATE TABLE token (
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	member_id INTEGER, 
	created_at DATETIME NOT NULL, 
	used_at DATETIME, 
	expires_at DATETIME, 
	revoked_at DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT fk_token_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT uq_token_hash UNIQUE (hash)
);
INSERT INTO "token" VALUES('api','tests','admin','4644083d6a80f5eb42eb8f81f1574bd772e8507fb59f1965345e4c202b691235',NULL,'2026-03-02 09:00:00.000000','2026-03-02 09:32:00.000000',NULL,NULL,1);
INSERT INTO "token" VALUES('link','Kim','approver','2d60103a126859ac370a27c44871baa6027d612937bc6c7a9f42b70293786372',NULL,'2026-03-02 09:36:00.000000',NULL,'2026-03-09 09:36:00.000000','2026-03-02 09:36:00.000000',2);
INSERT INTO "token" VALUES('session','a browser','approver','10fe9139666e538dc2f4c3d16aeb65abdb249777018f91e90eecc4824e7a8e1a',1,'2026-03-02 09:36:00.000000',NULL,'2026-04-01 09:36:00.000000',NULL,3);
CREATE TABLE tracker (
	kind TEXT NOT NULL, 
	url TEXT NOT NULL, 
	visible_to_public BOOLEAN NOT NULL, 
	name TEXT NOT NULL, 
	settings JSON NOT NULL, 
	secrets TEXT NOT NULL, 
	kept TEXT DEFAULT '' NOT NULL, 
	kept_token TEXT, 
	kept_until DATETIME, 
	version INTEGER NOT NULL, 
	remote_id TEXT NOT NULL, 
	facts JSON NOT NULL, 
	ok BOOLEAN DEFAULT 1 NOT NULL, 
	why TEXT NOT NULL, 
	blocked BOOLEAN DEFAULT 0 NOT NULL, 
	health_at DATETIME, 
	proven_at DATETIME, 
	scopes JSON NOT NULL, 
	expires_at DATETIME, 
	quota JSON NOT NULL, 
	cursor TEXT, 
	read_at DATETIME, 
	poll_at DATETIME, 
	poll_until DATETIME, 
	poll_token TEXT, 
	failures INTEGER DEFAULT '0' NOT NULL, 
	resume_at DATETIME, 
	rejected INTEGER DEFAULT '0' NOT NULL, 
	rejected_at DATETIME, 
	rejected_why TEXT DEFAULT '' NOT NULL, 
	created_at DATETIME NOT NULL, 
	deleted_at DATETIME, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT
);
INSERT INTO "tracker" VALUES('rehearsal','http://fullcircle.test/rehearsal/main/board',1,'Acme app','{"scene": "main", "project": "Acme app", "shipped_when": "release", "tag_pattern": "*", "public_label_pattern": "v?\\d+(\\.\\d+){1,3}([-+.]?(alpha|beta|rc|pre|preview|dev|post|patch|build)?[-.]?\\d*)?", "platforms": "", "settle_seconds": 3600, "show_on_public": "quotes"}','gAAAAABrDF24MuWNxvBmghjyvoypnoXM3HPSu0BTnFaqtf6FhHIM8mLHTHJkI7VpqYeo0Fd-URa_VArQs42PyVYsXp37eKTLLA==','gAAAAABrDF2ykTdHhtweNxBwB84fDRIkCaMTa5io8Xw92AQaIpietYv4fbtqSlBcKj2XAVWTsFlDVa8_akvLVrWfv0D9Sd5mJg==',NULL,NULL,2,'rehearsal:main/board','{}',1,'',0,'2026-03-02 09:36:00.000000','2026-03-02 09:32:00.000000','[]',NULL,'{}','46','2026-03-02 09:36:00.000000','2026-03-02 09:36:01.000000',NULL,NULL,0,NULL,0,NULL,'','2026-03-02 09:00:00.000000',NULL,1);
CREATE TABLE voice (
	is_on BOOLEAN NOT NULL, 
	changed_at DATETIME NOT NULL, 
	changed_by TEXT NOT NULL, 
	id INTEGER NOT NULL, 
	CONSTRAINT pk_voice PRIMARY KEY (id), 
	CONSTRAINT ck_voice_single CHECK (id = 1)
);
INSERT INTO "voice" VALUES(1,'2026-03-02 09:36:00.000000','tests',1);
CREATE TABLE worker (
	name TEXT NOT NULL, 
	version TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	CONSTRAINT uq_worker_name UNIQUE (name)
);
CREATE INDEX ix_account_channel_remote_id ON account (channel, remote_id);
CREATE INDEX ix_customer_unsettled ON customer (id) WHERE unsettled;
CREATE INDEX ix_delivery_state_id ON delivery (state, id);
CREATE INDEX ix_event_customer_id ON event (customer_id);
CREATE INDEX ix_event_issue_id ON event (issue_id);
CREATE INDEX ix_event_loop_id ON event (loop_id);
CREATE INDEX ix_identity_customer_id ON identity (customer_id);
CREATE INDEX ix_issue_to_foretell ON issue (pull_at) WHERE pull_wanted > pull_done AND (pull_url <> '' OR pull_on <> '');
CREATE INDEX ix_issue_to_look_at ON issue (look_at) WHERE look_wanted > look_done;
CREATE INDEX ix_issue_to_make ON issue (create_at) WHERE state = 'creating';
CREATE INDEX ix_issue_to_show ON issue (block_at) WHERE block_wanted > block_done;
CREATE INDEX ix_post_account_id_answers_id ON post (account_id, answers_id);
CREATE INDEX ix_post_account_id_external_id ON post (account_id, external_id);
CREATE INDEX ix_post_identity_id ON post (identity_id);
CREATE INDEX ix_post_loop_id ON post (loop_id);
CREATE INDEX ix_post_state_id ON post (state, id);
CREATE INDEX ix_post_to_read_again ON post (account_id, read_again_at);
CREATE INDEX ix_post_unheard ON post (created_at) WHERE answers_reply_id IS NOT NULL AND heard_at IS NULL;
CREATE UNIQUE INDEX uq_shipment_present ON shipment (issue_id, platform) WHERE withdrawn_at IS NULL;
CREATE INDEX ix_loop_asking ON loop (id) WHERE needs_person <> '';
CREATE INDEX ix_loop_identity_id ON loop (identity_id);
CREATE INDEX ix_loop_told_elsewhere ON loop (waits_on) WHERE waits_on IS NOT NULL;
CREATE INDEX ix_loop_state_id ON loop (state, id);
CREATE INDEX ix_loop_state_owed ON loop (state, owed);
CREATE INDEX ix_link_issue_id_until ON link (issue_id, until);
CREATE UNIQUE INDEX uq_link_present ON link (loop_id, issue_id) WHERE until IS NULL;
CREATE INDEX ix_note_loop_id ON note (loop_id);
CREATE INDEX ix_notice_state_due_at ON notice (state, due_at);
CREATE INDEX ix_reply_account_id_external_id ON reply (account_id, external_id);
CREATE INDEX ix_reply_by_hand ON reply (id) WHERE hand_at IS NOT NULL;
CREATE INDEX ix_reply_state_due_at ON reply (state, due_at);
CREATE INDEX ix_attempt_reply_id ON attempt (reply_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('token',3);
INSERT INTO "sqlite_sequence" VALUES('account',2);
INSERT INTO "sqlite_sequence" VALUES('tracker',1);
INSERT INTO "sqlite_sequence" VALUES('customer',9);
INSERT INTO "sqlite_sequence" VALUES('identity',9);
INSERT INTO "sqlite_sequence" VALUES('post',9);
INSERT INTO "sqlite_sequence" VALUES('loop',9);
INSERT INTO "sqlite_sequence" VALUES('event',88);
INSERT INTO "sqlite_sequence" VALUES('issue',9);
INSERT INTO "sqlite_sequence" VALUES('link',9);
INSERT INTO "sqlite_sequence" VALUES('shipment',9);
INSERT INTO "sqlite_sequence" VALUES('reply',11);
INSERT INTO "sqlite_sequence" VALUES('attempt',5);
INSERT INTO "sqlite_sequence" VALUES('note',1);
INSERT INTO "sqlite_sequence" VALUES('template',1);
INSERT INTO "sqlite_sequence" VALUES('delivery',1);
INSERT INTO "sqlite_sequence" VALUES('member',1);
COMMIT;
