// Package discovery finds the channels that relays on the local network carry, and
// answers others who look for some.
//
// A [Finder] asks on every interface that is up: an IPv4 multicast group, the
// broadcast address of each IPv4 subnet and an IPv6 link-local multicast group. A
// [Responder] answers the asker alone. Nobody says where it is: an answer tells the
// port of the node, and the address is the one that the answer came from, so it is one
// that can be reached. See design.md for the packets and their bounds.
package discovery
