package cli

import (
	"net"
	"strings"
	"sync"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

// nameServer is the key of a script's name server.
type nameServer struct{}

// zone is what a script's name server says.
type zone struct {
	mu    sync.Mutex
	lines []string
}

// ServeDNS answers from the lines that the script has given last. Of a name of which there is no line it says that
// there is none such.
func (z *zone) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	a := new(dns.Msg)
	a.SetReply(m)
	a.RecursionAvailable = true
	a.Rcode = dns.RcodeNameError
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, l := range z.lines {
		if strings.TrimSpace(l) == "SERVFAIL" {
			a.Rcode = dns.RcodeServerFailure
			break
		}
		rr, err := dns.NewRR(l)
		if err != nil || rr == nil || !strings.EqualFold(rr.Header().Name, m.Question[0].Name) {
			continue
		}
		a.Rcode = dns.RcodeSuccess
		if rr.Header().Rrtype == m.Question[0].Qtype {
			a.Answer = append(a.Answer, rr)
		}
	}
	_ = w.WriteMsg(a)
}

// serveZone is the command dns.
func serveZone(ts *testscript.TestScript, neg bool, args []string) {
	needs(ts, neg, len(args) == 1, "dns FILE")
	z, ok := ts.Value(nameServer{}).(*zone)
	if !ok {
		ts.Fatalf("there is no name server")
	}
	z.mu.Lock()
	z.lines = strings.Split(ts.ReadFile(args[0]), "\n")
	z.mu.Unlock()
}

// startNameServer starts one that knows nothing yet, and returns its address.
func startNameServer(e *testscript.Env) (string, error) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	z := &zone{}
	e.Values[nameServer{}] = z
	s := &dns.Server{PacketConn: pc, Handler: z}
	go func() { _ = s.ActivateAndServe() }() // ends with the script
	e.Defer(func() { _ = s.Shutdown() })
	return pc.LocalAddr().String(), nil
}
