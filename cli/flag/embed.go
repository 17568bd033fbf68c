package flag

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

// mostSites bounds the sites of --embed: all of them are in a header of each answer for a frame.
const mostSites = 32

// Embed returns the values of --embed, as browsers write them in Origin headers.
func Embed(c *cli.Context) (all []string, err error) {
	for _, v := range c.StringSlice("embed") {
		for s := range strings.SplitSeq(v, ",") {
			o, err := origin(strings.TrimSpace(s))
			if err != nil {
				return nil, err
			}
			all = append(all, o)
		}
	}
	if len(all) > mostSites {
		return nil, fault.Usage("", "--embed names %d sites, %d at most are possible", len(all), mostSites)
	}
	return all, nil
}

// origin reads the origin of a site: scheme, host and port, if that is not the scheme's own.
func origin(s string) (string, error) {
	const like = "write it as https://example.org, or http://192.168.1.5:8080"
	bad := func(hint, why string) (string, error) { return "", fault.Usage(hint, "--embed %q "+why, s) }
	switch {
	case strings.Contains(s, "*"):
		return bad("give --embed once for each site", "would let in sites that you do not know: an origin has no *")
	case strings.EqualFold(s, "null"):
		return bad("serve the page from an address of its own, even on this machine", "is every page that has no address, such as a file or a sandboxed frame")
	case !strings.Contains(s, "://"):
		return bad(like, "has no http:// or https:// in front")
	}
	u, err := url.Parse(s)
	if err != nil {
		return bad(like, "is no address of a site")
	}
	scheme := strings.ToLower(u.Scheme)
	port := u.Port()
	switch {
	case scheme != "http" && scheme != "https":
		return bad(like, "is not of the web")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#") || u.Path != "" && u.Path != "/":
		return bad("leave out what follows the host: each page of a site may show the picture, or none", "is more than an origin")
	case strings.Contains(u.Host, "["):
		return bad("give the site a name", "is an IPv6 address, which browsers do not take for the site of a frame")
	case strings.HasSuffix(u.Host, ":"):
		return bad(like, "lacks the port behind the colon")
	}
	host := strings.ToLower(u.Hostname())
	for _, r := range host {
		if r >= 0x80 {
			return bad("copy it from the address bar of a browser, which gives letters like these as xn--…", "is not as browsers write it")
		}
	}
	if !isHost(host) {
		return bad(like, "has no host that a browser knows")
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return bad("", "has a port that is not from 1 to 65535")
		}
		port = strconv.FormatUint(n, 10)
	}
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		port = "" // as browsers leave it out
	}
	if port != "" {
		host = net.JoinHostPort(host, port)
	}
	return scheme + "://" + host, nil
}

// isHost reports whether a host in lower case can stand in a header as it is and is written as
// browsers do: a name, or an IPv4 address in its usual form.
func isHost(host string) bool {
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Trim(l, "-") != l {
			return false
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' { // browsers take it for an IPv4 address
		a, err := netip.ParseAddr(host)
		return err == nil && a.Is4()
	}
	return len(host) <= 253
}
