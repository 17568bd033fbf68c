// Package abuse is an attacker for whoever runs a node and wants to see what strangers can do to it.
// It has tables of hostile inputs, one for each port, and sieges: crowds of connections that are
// silent, slow or deaf, and floods. While it attacks, it plays the stream as a viewer does and comes
// to each port as an honest newcomer, and it reads the node's own counters. In the end it says in
// words what held.
//
// An input is exact bytes, with a name and what must become of it. The tables follow the
// specifications (RTMP 1.0, AMF0, FLV, ISO/IEC 14496-15, RFC 8446, RFC 9112, relay/wire/spec.md,
// memberlist's messages) and what public reports say has broken other servers.
//
// It is a test tool: it refuses addresses that are neither this machine's nor in its own networks,
// unless its user says that the machine there is theirs.
package abuse
