// Package abuse is an attacker for whoever runs a node and wants to see what strangers can do to it.
// It sends the inputs of room hostile, and lays sieges: crowds of connections that are
// silent, slow or deaf, and floods. While it attacks, it plays the stream as a viewer does and comes
// to each port as an honest newcomer, and it reads the node's own counters. In the end it says in
// words what held.
//
// It is a test tool: it refuses addresses that are neither this machine's nor in its own networks,
// unless its user says that the machine there is theirs.
package abuse
