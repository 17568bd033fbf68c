package flag

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/relay"
)

// MaxOffset bounds --offset, so that no default port ends up above 65535.
const MaxOffset = 40000

// offset returns the value of --offset, which is added to every default port.
func offset(c *cli.Context) (int, error) {
	off := c.Int("offset")
	if off < 0 || off > MaxOffset {
		return 0, fault.Usage("", "--offset %d is not from 0 to %d", off, MaxOffset)
	}
	return off, nil
}

// Listen returns the address to listen on, as host:port, from the flag of that name. Without
// the flag it is the default port at host, moved by --offset. That is checked either way, because
// other ports move with it.
func Listen(c *cli.Context, name, host string, def int) (addr string, given bool, err error) {
	off, err := offset(c)
	if err != nil || !c.IsSet(name) {
		return net.JoinHostPort(host, strconv.Itoa(def+off)), false, err
	}
	addr, err = listenAddr(name, c.String(name), host, def)
	return addr, true, err
}

// listenAddr reads the value of a flag that says where to listen: host:port, :port, or a port
// at host. The hint of its error names the default port.
func listenAddr(name, value, host string, def int) (string, error) {
	addr := value
	if _, err := strconv.ParseUint(value, 10, 16); err == nil {
		addr = net.JoinHostPort(host, value)
	}
	_, num, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(num, 10, 16)
	}
	if err != nil {
		return "", fault.Usage(fmt.Sprintf("write it as 127.0.0.1:%d, :%d or %d", def, def, def), "--%s %q is no address to listen on", name, addr)
	}
	return addr, nil
}

// Asked returns the address to ask, as host:port, from the flag of that name. Without the flag
// it is the default port on this machine, moved by --offset, which is checked as by Listen.
func Asked(c *cli.Context, name string, def int) (string, error) {
	off, err := offset(c)
	if err != nil || !c.IsSet(name) {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(def+off)), err
	}
	return askedAddr(name, c.String(name), def)
}

// askedAddr reads either the address that the relay was given or the URL that it printed.
func askedAddr(name, value string, def int) (string, error) {
	s := value
	if u, err := url.Parse(value); err == nil && u.Scheme == "http" {
		s = u.Host
	}
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		s = ":" + s
	}
	host, num, err := net.SplitHostPort(s)
	n, numErr := strconv.ParseUint(num, 10, 16)
	if err != nil || numErr != nil || n == 0 {
		return "", fault.Usage(fmt.Sprintf("it is in the address that the relay printed for players, such as 127.0.0.1:%d", def),
			"--%s %q is no address to ask", name, value)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, num), nil
}

// Advertised returns the values of --advertise: the addresses or names at which others reach
// this node from outside, such as a forwarded port.
func Advertised(c *cli.Context) ([]relay.HostPort, error) {
	var hosts []relay.HostPort
	for _, v := range c.StringSlice("advertise") {
		for s := range strings.SplitSeq(v, ",") {
			h, err := relay.ParseHostPort(strings.TrimSpace(s))
			if err != nil {
				return nil, fault.Usage("write it as 203.0.113.7:7144 or home.example.org:7144", "--advertise %q is no address and port", s)
			}
			hosts = append(hosts, h)
		}
	}
	return hosts, nil
}

// Timeout returns the value of --timeout, 0 if there is none.
func Timeout(c *cli.Context) (time.Duration, error) { return period(c, "timeout") }

// period returns the value of a flag that is a time, 0 if there is none.
func period(c *cli.Context, name string) (time.Duration, error) {
	if !c.IsSet(name) {
		return 0, nil
	}
	d, err := time.ParseDuration(c.String(name))
	if err != nil || d <= 0 {
		return 0, fault.Usage("", "--%s %q is no time: write 30s or 2m", name, c.String(name))
	}
	return d, nil
}

// maxBatch bounds --batch: more would be an interruption for a player.
const maxBatch = time.Second

// Batch returns the value of --batch, 0 if there is none.
func Batch(c *cli.Context) (time.Duration, error) {
	if !c.IsSet("batch") {
		return 0, nil
	}
	d, err := time.ParseDuration(c.String("batch"))
	if err != nil || d < 0 || d > maxBatch {
		return 0, fault.Usage("", "--batch %q is no time up to 1s: write 100ms", c.String("batch"))
	}
	return d, nil
}

// maxViewers bounds --max-viewers: each takes a descriptor, and a port of the machine.
const maxViewers = 50_000

// MaxViewers returns the value of --max-viewers, 0 if there is none.
func MaxViewers(c *cli.Context) (int, error) {
	if !c.IsSet("max-viewers") {
		return 0, nil
	}
	n := c.Int("max-viewers")
	if n < 1 || n > maxViewers {
		return 0, fault.Usage("leave it out for the usual number; --http 127.0.0.1:7145 serves players on this machine alone", "--max-viewers %d is not from 1 to %d", n, maxViewers)
	}
	return n, nil
}

// Webhook returns the value of --webhook, nil if there is none.
func Webhook(c *cli.Context) (*url.URL, error) {
	if !c.IsSet("webhook") {
		return nil, nil
	}
	return webhookURL(c.String("webhook"))
}

func webhookURL(value string) (*url.URL, error) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Usage("as in https://example.org/hooks/relay", "--webhook takes an http or https address")
	}
	return u, nil
}
