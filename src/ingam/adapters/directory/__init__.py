"""Places of publication: the folder that HTTP serves, and LDAP directories."""
