package flag

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

// Serving returns the flags that say whom a node serves, and what more it does for them.
func Serving() []cli.Flag {
	return []cli.Flag{
		List("allow-host", "`NAME` under which players may ask, besides localhost and addresses"),
		List("trusted-proxy", "`ADDR` or ADDR/BITS of a reverse proxy that is believed when it says for whom it asks, by X-Forwarded-For, -Host, -Proto and -Prefix"),
		List("embed", "`ORIGIN` of a site that may show the picture, as in https://example.org: /embed in a frame, and the media to its scripts"),
		Text("rtsp", "`ADDR` for players over RTSP, such as VLC, VRChat and recorders of cameras, as in :8554 (default: none)"),
		Toggle("thumbnails", "make small pictures of the channels (.jpg) with ffmpeg, which can neither write files nor use the network; Linux only"),
	}
}

// Sites returns the values of --trusted-proxy and --embed.
func Sites(c *cli.Context) (proxies []netip.Prefix, embed []string, err error) {
	if proxies, err = Proxies(c); err == nil {
		embed, err = Embed(c)
	}
	return proxies, embed, err
}

// Proxies returns the values of --trusted-proxy.
func Proxies(c *cli.Context) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, v := range c.StringSlice("trusted-proxy") {
		for s := range strings.SplitSeq(v, ",") {
			p, err := proxy(strings.TrimSpace(s))
			if err != nil {
				return nil, fault.Usage("write it as 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32", "--trusted-proxy %q is no address or prefix", s)
			}
			if p.Bits() == 0 {
				return nil, fault.Usage("name the addresses of your proxies alone", "--trusted-proxy %q would have everybody believed", s)
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func proxy(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), err
}

const (
	// DefaultSlots is how many children a node has if --max-children does not say.
	DefaultSlots = 8
	maxSlots     = 1000
)

// Slots reads --max-children and returns it as relay.Config wants it: -1 means no children.
func Slots(c *cli.Context) (int, error) {
	if !c.IsSet("max-children") {
		return DefaultSlots, nil
	}
	n := c.Int("max-children")
	switch {
	case n < 0 || n > maxSlots:
		return 0, fault.Usage("", "--max-children %d is not from 0 to %d", n, maxSlots)
	case n == 0:
		return -1, nil
	}
	return n, nil
}

// MaxChildren is the flag that Slots reads.
func MaxChildren() cli.Flag {
	return Number("max-children", "`N` nodes to pass the stream on to, at most", strconv.Itoa(DefaultSlots))
}
