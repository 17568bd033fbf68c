package words

import (
	"fmt"
	"net/netip"
)

// openPort says how to have others get through to a node that listens at an address.
func openPort(addr string) string {
	port := "its port"
	if a, err := netip.ParseAddrPort(addr); err == nil {
		port = fmt.Sprintf("port %d", a.Port())
	}
	return fmt.Sprintf("To pass the stream on to others, have the firewall let in %s, TCP and UDP, and the router forward it to this machine.", port)
}

// Closed tells a watcher once that nobody gets through to it. router is what its router says of
// that, and next what to do then; both may be empty.
func Closed(addr, router, next string) Warning {
	w := Warning{warnClosed, "behind a router or a firewall that lets nobody in: this node watches, and nobody can watch through it", openPort(addr)}
	if router != "" {
		w.Text += ". " + router
	}
	if next != "" {
		w.Hint = "To pass the stream on to others: " + next
	}
	return w
}
