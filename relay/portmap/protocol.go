package portmap

// Protocol is a way to talk to a router.
type Protocol string

// Protocols, the one that is preferred first.
const (
	PCP    Protocol = "pcp"     // Port Control Protocol, RFC 6887
	NATPMP Protocol = "nat-pmp" // NAT Port Mapping Protocol, RFC 6886
	UPnP   Protocol = "upnp"    // UPnP Internet Gateway Device 1 or 2
)

// IP protocol numbers, as PCP and UPnP's pinholes name them.
const (
	protoTCP = 6
	protoUDP = 17
)
