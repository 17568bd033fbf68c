package hostnet

import "net/netip"

// Gateways lists the routers that this machine's default routes lead to, IPv4 first, the
// likeliest of each family in front. One that is known on its link alone (fe80::/10) has a
// zone. There are none where the system does not tell, and IPv6 ones are told on Linux,
// macOS and the BSDs.
func Gateways() []netip.Addr { return routers() }
