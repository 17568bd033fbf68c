// Package hostnet is what this machine tells of its own network: its interfaces and
// addresses, which of these are of use to others, who is near, the way out, and why a port
// could not be opened. It sends nothing and knows no other room.
package hostnet
