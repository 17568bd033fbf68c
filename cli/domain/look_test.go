package domain

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"relay/cli/fault"
	"relay/relay/stream"
)

// fromZone returns the strings of a TXT record that a name server reads in a zone file.
func fromZone(t *testing.T, line string) []string {
	t.Helper()
	rr, err := dns.NewRR(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var all []string
	for _, s := range rr.(*dns.TXT).Txt { // which keeps what is escaped
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '\\' && i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
				b = append(b, (s[i+1]-'0')*100+(s[i+2]-'0')*10+s[i+3]-'0')
				i += 3
			case s[i] == '\\':
				i++
				b = append(b, s[i])
			default:
				b = append(b, s[i])
			}
		}
		all = append(all, string(b))
	}
	return all
}

// zone answers as a name server does.
type zone func(q dns.Question) (answer []dns.RR, rcode int)

// ports opens one port for packets and connections.
func ports(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, ln
		}
		pc.Close() // another program has that port
	}
	t.Fatal("no port is free for both")
	return nil, nil
}

// resolver asks a name server of its own over UDP and TCP. A nil zone does not answer.
func resolver(t *testing.T, z zone) *Resolver {
	t.Helper()
	pc, ln := ports(t)
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if z == nil {
			return
		}
		a := new(dns.Msg)
		a.SetReply(m)
		a.RecursionAvailable = true
		a.Answer, a.Rcode = z(m.Question[0])
		if w.LocalAddr().Network() == "udp" {
			a.Truncate(1232)
		}
		w.WriteMsg(a)
	})
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: handler}, {Listener: ln, Handler: handler}} {
		go s.ActivateAndServe() // ends with Shutdown
		t.Cleanup(func() { s.Shutdown() })
	}
	r := New(pc.LocalAddr().String())
	r.dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "example.org", IsNotFound: true}
	}
	return r
}

func txt(name string, parts ...string) dns.RR {
	for i, p := range parts {
		var b strings.Builder
		for _, c := range []byte(p) {
			if c == '"' || c == '\\' || c < ' ' || c > '~' {
				fmt.Fprintf(&b, "\\%03d", c)
			} else {
				b.WriteByte(c)
			}
		}
		parts[i] = b.String()
	}
	return &dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 1}, Txt: parts}
}

// texts is a zone with TXT records at one name, and nothing else.
func texts(records ...[]string) zone {
	return func(q dns.Question) (all []dns.RR, rcode int) {
		if q.Name != "_relay.example.org." || q.Qtype != dns.TypeTXT {
			return nil, dns.RcodeNameError
		}
		for _, r := range records {
			all = append(all, txt(q.Name, append([]string{}, r...)...))
		}
		return all, dns.RcodeSuccess
	}
}

func idOf(n int) string { return stream.ChannelID{byte(n), byte(n >> 8)}.String() }

// said is what a person is told of a look: titles and short IDs, or the error, and the problems.
func said(a Answer, err error) string {
	if err != nil {
		return "error: " + fault.Plain(err)
	}
	var parts []string
	for _, r := range a.Records {
		parts = append(parts, fmt.Sprintf("%s %q %v", r.Channel.Short()[:4], r.Title, r.At))
	}
	for _, p := range a.Problems {
		parts = append(parts, "but "+fault.Plain(p))
	}
	return strings.Join(parts, "; ")
}

func TestWhatADomainSaysInDNS(t *testing.T) {
	one := "v=relay1 id=" + testID + " at=a:1 n=One"
	var hundred [][]string
	for i := range 100 {
		hundred = append(hundred, []string{fmt.Sprintf("v=relay1 id=%s at=a:1 n=%02d", idOf(i), i)})
	}
	loop := func(q dns.Question) ([]dns.RR, int) {
		h := func(name string) dns.RR_Header {
			return dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 1}
		}
		return []dns.RR{&dns.CNAME{Hdr: h(q.Name), Target: "b.example.org."}, &dns.CNAME{Hdr: h("b.example.org."), Target: q.Name}}, dns.RcodeSuccess
	}
	five := strings.Repeat("a", 5000)
	var long []string
	for s := one + five; s != ""; s = s[min(len(s), 255):] {
		long = append(long, s[:min(len(s), 255)])
	}
	for name, c := range map[string]struct {
		zone zone
		want string
	}{
		"one":                     {texts([]string{one}), `aeba "One" [a:1]`},
		"one in several strings":  {texts([]string{one[:20], one[20:70], one[70:]}), `aeba "One" [a:1]`},
		"two, with others beside": {texts([]string{"v=spf1 -all"}, []string{"v=relay1 id=" + idOf(7) + " at=b:2"}, []string{one}, []string{"\x00\xff"}), `a4aa "" [b:2]; aeba "One" [a:1]`},
		"twice the same":          {texts([]string{one}, []string{one}), `aeba "One" [a:1]`},
		"marks for a terminal":    {texts([]string{one + "\x1b[31m\x00\u202e"}), `aeba "One[31m" [a:1]`},
		"nothing of ours":         {texts([]string{"v=spf1 -all"}), "error: nobody knows the domain example.org"},
		"no such name":            {texts(), "error: nobody knows the domain example.org"},
		"one that is broken":      {texts([]string{"v=relay1 id=x at=a:1"}), "error: what example.org says of relay cannot be read: _relay.example.org: id=: a channel ID has 52 characters, this one has 1"},
		"one of two is broken":    {texts([]string{one}, []string{"v=relay1 id=" + testID}), `aeba "One" [a:1]; but at= is missing, the addresses`},
		"5,000 bytes":             {texts(long), "error: what example.org says of relay cannot be read: _relay.example.org: it has more than 1024 bytes"},
		"it sends on to another": {func(q dns.Question) ([]dns.RR, int) { // as www names do
			return []dns.RR{&dns.CNAME{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: "t.example.net."}, txt("t.example.net.", one)}, dns.RcodeSuccess
		}, `aeba "One" [a:1]`},
		"a loop":                  {loop, "error: nobody knows the domain example.org"},
		"the name server fails":   {func(dns.Question) ([]dns.RR, int) { return nil, dns.RcodeServerFailure }, "error: example.org cannot be looked up now: names of hosts cannot be looked up now; is this machine online?"},
		"the name server refuses": {func(dns.Question) ([]dns.RR, int) { return nil, dns.RcodeRefused }, "error: example.org cannot be looked up now: names of hosts cannot be looked up now; is this machine online?"},
	} {
		if got := said(resolver(t, c.zone).Look(t.Context(), "example.org")); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
	a, err := resolver(t, texts(hundred...)).Look(t.Context(), "example.org")
	if err != nil || len(a.Records) != maxRecords || a.Records[31].Title != "31" || len(a.Problems) != 1 || a.Problems[0].Error() != "there are 100 channels, the most is 32" {
		t.Errorf("of a hundred: %d, %v, %v", len(a.Records), a.Problems, err)
	}
}

// authority signs certificates.
func authority(t *testing.T, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: names, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// site has the resolver find the file at a server of its own.
func site(t *testing.T, r *Resolver, serve http.HandlerFunc, names ...string) {
	t.Helper()
	cert, pool := authority(t, names...)
	s := httptest.NewUnstartedServer(serve)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	r.roots = pool
	r.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}
}

func TestWhatADomainSaysInItsFile(t *testing.T) {
	one := "v=relay1 id=" + testID + " at=a:1 n=One"
	const at = "https://example.org/.well-known/relay.txt"
	nothing := "error: example.org names no channel: there is no TXT record at _relay.example.org, and " + at + ": "
	writes := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path || r.Host != "example.org" {
				http.NotFound(w, r)
				return
			}
			io.WriteString(w, text)
		}
	}
	moves := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/there" {
				io.WriteString(w, one)
				return
			}
			http.Redirect(w, r, to, http.StatusFound)
		}
	}
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		names string
		want  string
	}{
		"lines, links and remarks": {writes("\ufeff# ours\r\n" + one + "\r\n\r\nrelay://" + idOf(7) + "@b:2 Two\n"), "example.org", `aeba "One" [a:1]; a4aa "Two" [b:2]`},
		"one line is broken":       {writes(one + "\nhello\n"), "example.org", `aeba "One" [a:1]; but "hello" is neither a record, which begins with v=relay1, nor a link`},
		"all are":                  {writes("hello"), "example.org", "error: what example.org says of relay cannot be read: " + at + `: "hello" is neither a record, which begins with v=relay1, nor a link`},
		"empty":                    {writes("# none\n"), "example.org", nothing[:len(nothing)-2] + " is empty"},
		"64 KiB":                   {writes(one + "\n" + strings.Repeat("#", 64<<10-len(one)-1)), "example.org", `aeba "One" [a:1]`},
		"a byte more":              {writes(one + "\n" + strings.Repeat("#", 64<<10-len(one))), "example.org", "error: what example.org says of relay cannot be read: " + at + ": it has more than 64 KiB"},
		"a web page":               {writes(" <!DOCTYPE html><p>" + one), "example.org", nothing + "there is a web page and no such file"},
		"a large web page":         {writes("<html>" + strings.Repeat("a", 65<<10)), "example.org", nothing + "there is a web page and no such file"},
		"no such file":             {http.NotFound, "example.org", nothing + "there is no such file (404 Not Found)"},
		"elsewhere on the host":    {moves("/there"), "example.org", `aeba "One" [a:1]`},
		"on another host":          {moves("https://www.example.org/there"), "example.org www.example.org", nothing + "it leads to www.example.org, where it is not looked for"},
		"on another port":          {moves("https://example.org:444/there"), "example.org", nothing + "it leads to example.org, where it is not looked for"},
		"without TLS":              {moves("http://example.org/there"), "example.org", nothing + "it leads to another place, where it is not looked for"},
		"in the terminal":          {moves("https://\x1b[31m.org/"), "example.org", nothing + "what answers there does not speak HTTP"},
		"in circles":               {moves(path), "example.org", nothing + "it leads to example.org, where it is not looked for"},
		"another's certificate":    {writes(one), "example.com", nothing + "its certificate is for another name"},
		"a head without end":       {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("a", 1<<20)) }, "example.org", nothing + "the answer is too long"},
		"the connection is cut":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "example.org", nothing + "the connection was closed"},
	} {
		r := resolver(t, texts())
		site(t, r, c.serve, strings.Fields(c.names)...)
		if got := said(r.Look(t.Context(), "example.org")); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
	// One that sends a byte now and then is not waited for.
	slow := resolver(t, texts())
	slow.wait = 100 * time.Millisecond
	site(t, slow, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, "#")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}, "example.org")
	if got := said(slow.Look(t.Context(), "example.org")); got != nothing+"no answer came in time" {
		t.Errorf("a slow server: %s", got)
	}
	r := resolver(t, texts())
	site(t, r, writes(one), "example.org")
	r.roots = nil
	if got := said(r.Look(t.Context(), "example.org")); got != nothing+"its certificate is from nobody whom this machine trusts" {
		t.Errorf("an unknown authority: %s", got)
	}
}

// A name server that blocks a name gives an address that leads nowhere. Nobody is connected to there.
func TestABlockedNameIsKnown(t *testing.T) {
	for _, a := range []string{"0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255"} {
		r := resolver(t, func(q dns.Question) ([]dns.RR, int) {
			ip := netip.MustParseAddr(a)
			h := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 1}
			switch {
			case q.Qtype == dns.TypeA && ip.Is4():
				return []dns.RR{&dns.A{Hdr: h, A: ip.AsSlice()}}, dns.RcodeSuccess
			case q.Qtype == dns.TypeAAAA && ip.Is6():
				return []dns.RR{&dns.AAAA{Hdr: h, AAAA: ip.AsSlice()}}, dns.RcodeSuccess
			}
			return nil, dns.RcodeSuccess
		})
		r.dial = nil
		_, err := r.Look(t.Context(), "example.org")
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Blocked {
			t.Errorf("%s: %v", a, err)
		}
	}
}

func TestASilentNameServerIsNotWaitedForLong(t *testing.T) {
	r := resolver(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Look(ctx, "example.org"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	r.DNS.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	}
	_, err := r.Look(t.Context(), "example.org")
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Silent {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerIsKeptForAWhile(t *testing.T) {
	var asked atomic.Int32
	var silent atomic.Bool
	zones := texts([]string{"v=relay1 id=" + testID + " at=203.0.113.7:1,[2001:db8::1]:2,nobody.example.org:3"})
	r := resolver(t, func(q dns.Question) ([]dns.RR, int) {
		if q.Qtype == dns.TypeTXT {
			asked.Add(1)
		}
		if silent.Load() {
			return nil, dns.RcodeServerFailure
		}
		return zones(q)
	})
	id, _ := stream.ParseChannelID(testID)
	for range 3 {
		addrs, err := r.Addrs(t.Context(), "example.org", id)
		if fmt.Sprint(addrs) != "[[2001:db8::1]:2 203.0.113.7:1]" || err != nil {
			t.Errorf("%v %v", addrs, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	if _, err := r.Addrs(t.Context(), "example.org", stream.ChannelID{1}); err == nil || err.Error() != "example.org does not name channel aeaaaaaa any more" {
		t.Errorf("of another channel: %v", err)
	}
	// It cannot be asked again: what it said still counts.
	r.known["example.org"].until = time.Time{}
	silent.Store(true)
	if addrs, err := r.Addrs(t.Context(), "example.org", id); len(addrs) != 2 || err != nil {
		t.Errorf("once it is silent: %v %v", addrs, err)
	}
}
