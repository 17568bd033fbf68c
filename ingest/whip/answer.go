package whip

import (
	"fmt"
	"net/netip"
	"strings"
)

// withAddresses adds addresses to an answer's first part, which all others share.
func withAddresses(answer string, addrs []netip.Addr, port uint16) string {
	var more strings.Builder
	for i, a := range addrs {
		fmt.Fprintf(&more, "a=candidate:%d 1 udp %d %s %d typ host\r\n", 9000+i, 1<<30-i, a.Unmap(), port)
		fmt.Fprintf(&more, "a=candidate:%d 1 tcp %d %s %d typ host tcptype passive\r\n", 9100+i, 1<<29-i, a.Unmap(), port)
	}
	return strings.Replace(answer, "a=end-of-candidates\r\n", more.String()+"a=end-of-candidates\r\n", 1)
}

// inStereo has an answer say that two channels of Opus are wanted, or browsers send one (RFC 7587, 6.1).
func inStereo(answer string) string {
	var b strings.Builder
	opus := ""
	for line := range strings.Lines(answer) {
		line = strings.TrimRight(line, "\r\n")
		if pt, name, ok := strings.Cut(strings.TrimPrefix(line, "a=rtpmap:"), " "); ok && pt != line && strings.HasPrefix(strings.ToLower(name), "opus/") {
			opus = pt
		}
		if opus != "" && strings.HasPrefix(line, "a=fmtp:"+opus+" ") && !strings.Contains(strings.ReplaceAll(line, "sprop-stereo", ""), "stereo=") {
			line += ";stereo=1"
		}
		b.WriteString(line)
		b.WriteString("\r\n")
	}
	return b.String()
}
