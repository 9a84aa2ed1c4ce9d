"""The SIP edge: Kamailio's configuration, the script in its workers, and the client of its command socket."""
