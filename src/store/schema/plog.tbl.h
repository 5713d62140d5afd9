SCHEMA(1, LOG,
       "create table log (part INT not null, seq INT not null, at INT not null, body BLOB not null,"
       " primary key (part, seq)) STRICT")
SCHEMA(1, LOG,
       "create table producer (part INT not null, producer TEXT not null, last_frame INT not null,"
       " primary key (part, producer)) STRICT")
SCHEMA(1, LOG,
       "create table part (part INT primary key, owner TEXT not null, epoch INT not null,"
       " lease_until INT not null, head INT not null) STRICT")
SCHEMA(1, MAIN,
       "create table part_offset (part INT primary key, epoch INT not null, off INT not null) STRICT")
