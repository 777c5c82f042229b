create role jobcore_owner nologin;
create role jobcore_worker nologin;
create role jobcore_tenant nologin;
grant jobcore_owner, jobcore_worker, jobcore_tenant to {login};
grant create on database {database} to jobcore_owner;
grant usage, create on schema public to jobcore_owner;
