package flag

import (
	"net"
	"net/netip"

	"github.com/urfave/cli/v2"

	"relay/cli/domain"
	"relay/cli/fault"
)

// dnsPort is where name servers answer.
const dnsPort = "53"

// Resolver is the flag for another name server than the system's.
func Resolver() cli.Flag {
	return Text("resolver", "`ADDR` of the name server to ask for domains, as in 9.9.9.9 (default: the system's)")
}

// NewID is the flag for a domain that names another channel than before.
func NewID() cli.Flag {
	return Toggle("new-id", "take the channel that a domain names now, though it named another one before")
}

// ReadResolver reads Resolver.
func ReadResolver(c *cli.Context) (*domain.Resolver, error) {
	s := c.String("resolver")
	if s == "" {
		return domain.New(""), nil
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		return domain.New(net.JoinHostPort(ip.String(), dnsPort)), nil
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil || at.Port() == 0 {
		return nil, fault.Usage("as in --resolver 9.9.9.9 or --resolver [2620:fe::fe]:53", "--resolver %q is no address of a name server", s)
	}
	return domain.New(at.String()), nil
}

// ReadDomain reads --dns; "" if it is not given.
func ReadDomain(c *cli.Context) (domain.Name, error) {
	if !c.IsSet("dns") {
		return "", nil
	}
	n, err := domain.Parse(c.String("dns"))
	if err != nil {
		return "", fault.Usage("as in relay link --dns example.org", "--dns %q is no domain: %w", c.String("dns"), err)
	}
	return n, nil
}
