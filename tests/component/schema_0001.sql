BEGIN TRANSACTION;
CREATE TABLE agent_moves (
	id INTEGER NOT NULL, 
	agent TEXT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	reason TEXT, 
	because TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "agent_moves" VALUES(1,'amy','reserved','talking',NULL,'bridged',1.79000000512345600134e+09);
CREATE TABLE agents (
	id TEXT NOT NULL, 
	presence TEXT NOT NULL, 
	reason TEXT, 
	work_attempt TEXT, 
	work_callback TEXT, 
	work_stage TEXT, 
	idle_since DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "agents" VALUES('amy','ready',NULL,'cb2-1','cb2','active',1.79000000012345600124e+09);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE api_keys (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	origins TEXT NOT NULL, 
	subject TEXT, 
	secret_hash TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	revoked_at DOUBLE, 
	PRIMARY KEY (id)
);
INSERT INTO "api_keys" VALUES('k1','Web shop','public','web','["https://a.example"]',NULL,'s1',1.79000000012345600124e+09,NULL);
INSERT INTO "api_keys" VALUES('k2','Amy','agent','secret','[]','amy','s2',1.79000000112345600128e+09,1.79000000912345600127e+09);
CREATE TABLE attempts (
	id TEXT NOT NULL, 
	callback TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	agent TEXT, 
	dialed_at DOUBLE NOT NULL, 
	agent_legs INTEGER NOT NULL, 
	rang BOOLEAN NOT NULL, 
	answered_at DOUBLE, 
	confirmed_at DOUBLE, 
	bridged_at DOUBLE, 
	ended_at DOUBLE, 
	outcome TEXT, 
	cause INTEGER, 
	sip_code INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(callback) REFERENCES callbacks (id) ON DELETE CASCADE
);
INSERT INTO "attempts" VALUES('full-1','full',1,'amy',1.79000000012345600124e+09,2,1,1.79000000112345600128e+09,1.79000000212345600127e+09,1.79000000312345600127e+09,1.7900000041234560013e+09,'connected',16,200);
INSERT INTO "attempts" VALUES('cb2-1','cb2',1,'amy',1.79000000112345600128e+09,1,1,1.79000000312345600127e+09,1.7900000041234560013e+09,1.79000000512345600134e+09,NULL,NULL,NULL,NULL);
CREATE TABLE callback_moves (
	id INTEGER NOT NULL, 
	callback TEXT NOT NULL, 
	"before" TEXT, 
	"after" TEXT NOT NULL, 
	because TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(callback) REFERENCES callbacks (id) ON DELETE CASCADE
);
INSERT INTO "callback_moves" VALUES(1,'cb1',NULL,'queued','accepted',1.79000000112345600128e+09);
INSERT INTO "callback_moves" VALUES(2,'cb2',NULL,'connected','accepted',1.79000000212345600127e+09);
CREATE TABLE callbacks (
	id TEXT NOT NULL, 
	service TEXT NOT NULL, 
	phone TEXT NOT NULL, 
	language TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	subject TEXT, 
	customer_id TEXT, 
	first_name TEXT, 
	last_name TEXT, 
	page_url TEXT, 
	context TEXT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT, 
	created_at DOUBLE NOT NULL, 
	joined_at DOUBLE NOT NULL, 
	token_hash TEXT NOT NULL, 
	priority INTEGER NOT NULL, 
	at_head BOOLEAN NOT NULL, 
	next_attempt_at DOUBLE, 
	ended_at DOUBLE, 
	attempts_started INTEGER NOT NULL, 
	outcomes TEXT NOT NULL, 
	agent TEXT, 
	parent_id TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(parent_id) REFERENCES callbacks (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "callbacks" VALUES('cb1','billing','+12025550001','en','web',NULL,NULL,NULL,NULL,NULL,'{}','queued',NULL,1.79000000112345600128e+09,1.79000000112345600128e+09,'hash-1',0,0,NULL,NULL,0,'[]',NULL,NULL);
INSERT INTO "callbacks" VALUES('cb2','billing','+12025550002','en','web',NULL,NULL,NULL,NULL,NULL,'{}','connected',NULL,1.79000000212345600127e+09,1.79000000212345600127e+09,'hash-2',0,0,NULL,NULL,0,'[]',NULL,NULL);
INSERT INTO "callbacks" VALUES('cb3','billing','+12025550003','en','web',NULL,NULL,NULL,NULL,NULL,'{}','cancelled','by_customer',1.79000000312345600127e+09,1.79000000312345600127e+09,'hash-3',0,0,NULL,1.7900000041234560013e+09,0,'[]',NULL,NULL);
INSERT INTO "callbacks" VALUES('full','rechnungen & mehr','+4915112345678','de','phone','invoice','c-1','Zoë 🦊','O''Brien; DROP TABLE callbacks','https://example.com/ä?b=%20','{"ключ":"値\n\"quoted\"","empty":""}','retry_wait','by_admin',1.79000000012345600124e+09,1.79000000012345695491e+09,'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',-3,1,1.79000060062345600132e+09,1.79000070037345600129e+09,2,'["connected","abandoned","unconfirmed","hung_up","later","cancelled_by_key","never_again","machine","message_left","fax","busy","no_answer","rejected","invalid_number","network_failure","no_agent","interrupted","refused"]','amy','cb1');
CREATE TABLE configuration (
	version INTEGER NOT NULL, 
	document TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "configuration" VALUES(1,'services: []
',1.79000000012345600124e+09);
INSERT INTO "configuration" VALUES(2,'services: [ä]
',1.79000000112345600128e+09);
CREATE TABLE idempotency (
	"key" TEXT NOT NULL, 
	body_hash TEXT NOT NULL, 
	answer TEXT NOT NULL, 
	callback TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "idempotency" VALUES('key-cb1','b','{}','cb1',1.79000000112345600128e+09);
INSERT INTO "idempotency" VALUES('key-cb2','b','{}','cb2',1.79000000212345600127e+09);
CREATE TABLE timers (
	owner TEXT NOT NULL, 
	name TEXT NOT NULL, 
	due_at DOUBLE NOT NULL, 
	PRIMARY KEY (owner, name)
);
INSERT INTO "timers" VALUES('cb1','life',1.7900864011234560013e+09);
INSERT INTO "timers" VALUES('cb2','life',1.79008640212345600129e+09);
CREATE INDEX ix_agent_moves_agent ON agent_moves (agent, at);
CREATE INDEX ix_agent_moves_at ON agent_moves (at);
CREATE UNIQUE INDEX uq_api_keys_secret_hash ON api_keys (secret_hash);
CREATE INDEX ix_callbacks_created_at ON callbacks (created_at, id);
CREATE INDEX ix_callbacks_open ON callbacks (created_at, id) WHERE (state NOT IN ('completed', 'unsuccessful', 'cancelled', 'expired'));
CREATE INDEX ix_callbacks_service ON callbacks (service, created_at, id);
CREATE INDEX ix_callbacks_parent_id ON callbacks (parent_id);
CREATE INDEX ix_callbacks_phone ON callbacks (phone, created_at, id);
CREATE INDEX ix_callbacks_service_state ON callbacks (service, state, created_at, id);
CREATE UNIQUE INDEX uq_callbacks_open ON callbacks (phone, service) WHERE (state NOT IN ('completed', 'unsuccessful', 'cancelled', 'expired'));
CREATE INDEX ix_idempotency_at ON idempotency (at);
CREATE INDEX ix_attempts_dialed_at ON attempts (dialed_at);
CREATE UNIQUE INDEX uq_attempts_callback_n ON attempts (callback, n);
CREATE UNIQUE INDEX uq_attempts_open ON attempts (callback) WHERE ended_at IS NULL;
CREATE INDEX ix_callback_moves_at ON callback_moves (at);
CREATE INDEX ix_callback_moves_callback ON callback_moves (callback);
COMMIT;
