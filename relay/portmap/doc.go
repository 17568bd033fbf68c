// Package portmap opens one port of this machine in the home router, so that others can
// dial a node that is behind it, and keeps it open for as long as the node runs.
//
// A [Mapper] asks every router that it is told of, by PCP (RFC 6887), NAT-PMP (RFC 6886)
// and UPnP IGD 1 and 2. It renews what it got, asks again after the router was restarted
// or forgot, and removes it in the end. For IPv6 it opens a pinhole in the router's
// firewall instead.
//
// What a router says is hearsay: a [Mapping] is worth something after somebody outside has
// dialled it. See design.md for the rules and their bounds.
package portmap
