package portmap

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
)

func upnpAt(f *fakeIGD) (*upnp, *strangers) {
	a := askerAt(f.ssdp)
	return newUPnP(a, want4()), a.strange
}

func TestUPnPMapsChecksAndRemoves(t *testing.T) {
	for _, kind := range []string{"WANIPConnection:2", "WANIPConnection:1", "WANPPPConnection:1"} {
		f := newFakeIGD(t)
		f.set(func() { f.kind = kind })
		p, _ := upnpAt(f)
		if err := p.probe(t.Context()); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		g, err := p.open(t.Context())
		want := grant{netip.MustParseAddrPort("11.22.33.44:7144"), 7144, time.Hour}
		if err != nil || g != want || f.mapped() != "map[TCP 7144:127.0.0.1:7144 UDP 7144:127.0.0.1:7144]" {
			t.Errorf("%s: %+v, %v, %s", kind, g, err, f.mapped())
		}
		if err := p.check(t.Context()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if g, err := p.open(t.Context()); err != nil || g != want {
			t.Errorf("%s: renewed %+v, %v", kind, g, err)
		}
		if err := p.close(t.Context()); err != nil || f.mapped() != "map[]" {
			t.Errorf("%s: %v, %s", kind, err, f.mapped())
		}
	}
}

// A renewal is refused for TCP alone, and then the router is away: what is left is removed once it is back.
func TestWhatIsLeftOfAMappingIsRemovedByARouterThatWasAway(t *testing.T) {
	f := newFakeIGD(t)
	p, _ := upnpAt(f)
	if _, err := p.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.codes["AddPortMapping"] = 606; delete(f.entries, "TCP 7144") })
	if g, err := p.open(t.Context()); err == nil {
		t.Fatalf("renewed: %+v", g)
	}
	f.set(func() { f.codes["GetExternalIPAddress"] = 501 })
	if err := p.probe(t.Context()); err == nil {
		t.Fatal("a router without an address was chosen")
	}
	f.set(func() { clear(f.codes) })
	if err := p.close(t.Context()); err != nil || f.mapped() != "map[]" {
		t.Errorf("%v, left %s", err, f.mapped())
	}
}

// Each line is what some real router does.
func TestErrorsOfRoutersThatUPnPLivesWith(t *testing.T) {
	for name, c := range map[string]struct {
		set    func(f *fakeIGD)
		port   uint16 // external; 0 if it fails
		udp    uint16
		lease  time.Duration
		reason Reason
	}{
		"only permanent leases, 725 (MikroTik)": {func(f *fakeIGD) { f.lease = false }, 7144, 7144, 0, None},
		"a lease is an invalid argument, 402 (Arris)": {func(f *fakeIGD) {
			f.body = func(action string) (int, string, bool) {
				if n := len(f.leases); action == "AddPortMapping" && n == 0 {
					f.leases = append(f.leases, "")
					return 500, fault(402), true
				}
				return 0, "", false
			}
		}, 7144, 7144, 0, None},
		"not even without a lease, 402":    {func(f *fakeIGD) { f.codes["AddPortMapping"] = 402 }, 0, 0, 0, Refused},
		"taken by another, 718, version 1": {func(f *fakeIGD) { f.foreign["TCP 7144"] = true }, 7145, 7145, time.Hour, None},
		"taken by another, 718, version 2": {func(f *fakeIGD) { f.kind, f.foreign["TCP 7144"] = "WANIPConnection:2", true }, 40000, 40000, time.Hour, None},
		"taken for UDP alone":              {func(f *fakeIGD) { f.foreign["UDP 7144"] = true }, 7144, 7145, time.Hour, None},
		"taken and all after it":           {func(f *fakeIGD) { f.codes["AddPortMapping"] = 718 }, 0, 0, 0, Full},
		"another mechanism has it, 729":    {func(f *fakeIGD) { f.codes["AddPortMapping"] = 729 }, 0, 0, 0, Full},
		"not authorized, 606":              {func(f *fakeIGD) { f.codes["AddPortMapping"] = 606 }, 0, 0, 0, Refused},
		"action failed, 501":               {func(f *fakeIGD) { f.codes["AddPortMapping"] = 501 }, 0, 0, 0, Refused},
		"inside and outside must be the same, 724": {func(f *fakeIGD) {
			f.foreign["TCP 7144"] = true
			f.body = func(action string) (int, string, bool) {
				if n := len(f.leases); action == "AddPortMapping" && n == 0 {
					f.leases = append(f.leases, "")
					f.foreign["TCP 7144"] = false
					return 500, fault(724), true
				}
				return 0, "", false
			}
		}, 7144, 7144, time.Hour, None},
		"no ports left, 728":                    {func(f *fakeIGD) { f.codes["AddPortMapping"] = 728 }, 0, 0, 0, Full},
		"not there, 401":                        {func(f *fakeIGD) { f.codes["AddPortMapping"] = 401 }, 0, 0, 0, Unsupported},
		"no address (IGD 2)":                    {func(f *fakeIGD) { f.external = "" }, 0, 0, 0, NoAddress},
		"address 0.0.0.0":                       {func(f *fakeIGD) { f.external = "0.0.0.0" }, 0, 0, 0, NoAddress},
		"an address that is none":               {func(f *fakeIGD) { f.external = "<b>\x1b[31m" + strings.Repeat("x", 1000) }, 0, 0, 0, Broken},
		"control relative without a slash":      {func(f *fakeIGD) { f.control = "ctl/IPConn" }, 7144, 7144, time.Hour, None},
		"URLBase of another address is ignored": {func(f *fakeIGD) { f.base = "<URLBase>http://192.168.99.99:5000</URLBase>" }, 7144, 7144, time.Hour, None},
		"cannot tell of an entry": {func(f *fakeIGD) {
			f.codes["GetSpecificPortMappingEntry"], f.foreign["TCP 7144"] = 501, true
		}, 7145, 7145, time.Hour, None},
	} {
		f := newFakeIGD(t)
		f.set(func() { c.set(f) })
		p, _ := upnpAt(f)
		g, err := p.open(t.Context())
		if (c.reason == None) != (err == nil) || err != nil && reasonOf(err) != c.reason {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
		if g.external.Port() != c.port || g.udp != c.udp || g.lease != c.lease {
			t.Errorf("%s: %+v", name, g)
		}
		if err != nil && (len(err.Error()) > 500 || strings.Contains(err.Error(), "\x1b")) {
			t.Errorf("%s: told in %q", name, err)
		}
		if err := p.close(t.Context()); err != nil || f.mapped() != "map[]" {
			t.Errorf("%s: %v, left %s", name, err, f.mapped())
		}
	}
}

func fault(code int) string {
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring>` +
		`<detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>` + string([]byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)}) +
		`</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`
}

// The port of ours must stay what it is when a mapping is renewed at another external port.
func TestARenewalAtAnotherPortStillLeadsToOurs(t *testing.T) {
	f := newFakeIGD(t)
	f.set(func() { f.kind, f.foreign["TCP 7144"] = "WANIPConnection:2", true })
	p, _ := upnpAt(f)
	for range 3 {
		if _, err := p.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.set(func() { clear(f.entries) })
	}
	if _, err := p.open(t.Context()); err != nil || f.mapped() != "map[TCP 40000:127.0.0.1:7144 UDP 40000:127.0.0.1:7144]" {
		t.Errorf("%v, %s", err, f.mapped())
	}
}

// A mapping of an earlier run, which ended without removing it, is in its own way at a
// router that does not replace.
func TestAnOldMappingOfOursIsReplaced(t *testing.T) {
	f := newFakeIGD(t)
	f.set(func() { f.foreign["TCP 7144"], f.entries["TCP 7144"] = true, "127.0.0.1:7144" })
	p, _ := upnpAt(f)
	if g, err := p.open(t.Context()); err != nil || g.external.Port() != 7144 {
		t.Errorf("%+v, %v", g, err)
	}
	// Another's is left alone.
	f = newFakeIGD(t)
	f.set(func() { f.foreign["TCP 7144"], f.entries["TCP 7144"] = true, "192.168.1.9:7144" })
	p, _ = upnpAt(f)
	if g, err := p.open(t.Context()); err != nil || g.external.Port() != 7145 {
		t.Errorf("%+v, %v", g, err)
	}
	if got := f.mapped(); !strings.Contains(got, "TCP 7144:192.168.1.9:7144") {
		t.Errorf("another's mapping is gone: %s", got)
	}
}

func TestWhatARouterForgotOrGaveAwayIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(f *fakeIGD)
		want   error
	}{
		"it is gone":                      {func(f *fakeIGD) { clear(f.entries) }, errForgotten},
		"it leads to another":             {func(f *fakeIGD) { f.entries["TCP 7144"] = "192.168.1.9:7144" }, errForgotten},
		"the internal port is another":    {func(f *fakeIGD) { f.entries["TCP 7144"] = "127.0.0.1:99" }, errForgotten},
		"the router's address is another": {func(f *fakeIGD) { f.external = "11.22.33.55" }, errForgotten},
		"it has lost its line":            {func(f *fakeIGD) { f.external = "" }, errForgotten},
	} {
		f := newFakeIGD(t)
		p, _ := upnpAt(f)
		if _, err := p.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.set(func() { c.change(f) })
		if err := p.check(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := newFakeIGD(t)
	f.set(func() { f.codes["GetSpecificPortMappingEntry"] = 501 })
	p, _ := upnpAt(f)
	if _, err := p.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.check(t.Context()); errors.Is(err, errForgotten) {
		t.Error("a router that cannot tell has forgotten")
	}
}

// After an update, a router's server is at another port.
func TestARouterWhoseServerMovedIsFoundAgain(t *testing.T) {
	f := newFakeIGD(t)
	p, _ := upnpAt(f)
	if _, err := p.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.HandlerFunc(f.serve))
	defer other.Close()
	f.http.CloseClientConnections()
	f.http.Listener.Close()
	f.set(func() { f.location = other.URL + "/rootDesc.xml" })
	if err := p.check(t.Context()); !errors.Is(err, errForgotten) {
		t.Error(err)
	}
	if _, err := p.open(t.Context()); err != nil {
		t.Error(err)
	}
}

// Only what was answered can be wrong: a router that is away keeps its mapping until the lease is over.
func TestSilenceIsToldFromNonsense(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, f *fakeIGD)
		want   Reason
	}{
		"it does not take the connection": {func(_ *testing.T, f *fakeIGD) { f.http.Listener.Close() }, NoAnswer},
		"it takes too long":               {func(t *testing.T, f *fakeIGD) { f.mu.Lock(); t.Cleanup(f.mu.Unlock) }, NoAnswer},
		"it answers nonsense": {func(_ *testing.T, f *fakeIGD) {
			f.set(func() { f.body = func(string) (int, string, bool) { return 200, "<a/>", true } })
		}, Broken},
		"it answers no XML": {func(_ *testing.T, f *fakeIGD) {
			f.set(func() { f.body = func(string) (int, string, bool) { return 200, "<a>", true } })
		}, Broken},
		"it answers too much": {func(_ *testing.T, f *fakeIGD) {
			f.set(func() {
				f.body = func(string) (int, string, bool) { return 200, strings.Repeat(" ", documentMost+1), true }
			})
		}, Broken},
		"it sends us elsewhere": {func(_ *testing.T, f *fakeIGD) {
			f.set(func() { f.body = func(string) (int, string, bool) { return 302, "", true } })
		}, Broken},
		"it is out of order": {func(_ *testing.T, f *fakeIGD) {
			f.set(func() { f.body = func(string) (int, string, bool) { return 503, "", true } })
		}, Broken},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeIGD(t)
			p, _ := upnpAt(f)
			if _, err := p.open(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.change(t, f)
			ctx := t.Context()
			if c.want == NoAnswer {
				patience, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				ctx = patience
			}
			g, err := p.open(ctx)
			if got := reasonOf(err); err == nil || got != c.want {
				t.Errorf("%v (%v), want %v; %+v", got, err, c.want, g)
			}
		})
	}
}

// Of two lines of a router, the one that is connected to the Internet counts.
func TestTheServiceWithThePublicAddressIsUsed(t *testing.T) {
	for _, first := range []string{"", "0.0.0.0", "192.168.7.1"} {
		f := newFakeIGD(t)
		n := 0
		two := strings.Replace(f.describe(), "</service><service>", "</service><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl/two</controlURL></service><service>", 1)
		f.set(func() {
			f.document = two
			f.body = func(action string) (int, string, bool) {
				if n++; action == "GetExternalIPAddress" && n == 2 { // after the description
					return 200, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:GetExternalIPAddressResponse xmlns:u="u"><NewExternalIPAddress>` +
						first + `</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>`, true
				}
				return 0, "", false
			}
		})
		p, _ := upnpAt(f)
		if err := p.probe(t.Context()); err != nil || p.address != netip.MustParseAddr("11.22.33.44") {
			t.Errorf("%q: %v, %v", first, p.address, err)
		}
	}
}

func TestHostileRoutersCostLittle(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	var nested, many strings.Builder
	for range 20000 {
		nested.WriteString("<d>")
		many.WriteString("<device/>")
	}
	document := func(s string) func(*fakeIGD) { return func(f *fakeIGD) { f.document = s } }
	answer := func(action string, status int, body string) func(*fakeIGD) {
		return func(f *fakeIGD) {
			f.body = func(a string) (int, string, bool) { return status, body, a == action }
		}
	}
	for name, c := range map[string]struct {
		set   func(f *fakeIGD)
		count func(strange) uint64
	}{
		"points to another host":     {func(f *fakeIGD) { f.location = "http://198.51.100.9/rootDesc.xml" }, func(s strange) uint64 { return s.Location }},
		"points to a name":           {func(f *fakeIGD) { f.location = "http://localhost:80/" }, func(s strange) uint64 { return s.Location }},
		"points to a file":           {func(f *fakeIGD) { f.location = "file:///etc/passwd" }, func(s strange) uint64 { return s.Location }},
		"takes commands elsewhere":   {func(f *fakeIGD) { f.control = "http://198.51.100.9/ctl" }, func(s strange) uint64 { return s.Location }},
		"nests for ever":             {document("<root>" + nested.String()), func(s strange) uint64 { return s.Document }},
		"has very many devices":      {document("<root><device><deviceList>" + many.String() + "</deviceList></device></root>"), func(s strange) uint64 { return s.Document }},
		"is longer than 256 KiB":     {document("<root>" + strings.Repeat("x", documentMost) + "</root>"), func(s strange) uint64 { return s.Document }},
		"laughs a billion times":     {document(`<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><root><device><friendlyName>&b;</friendlyName></device></root>`), func(s strange) uint64 { return s.Document }},
		"is no XML":                  {document("404 not found"), func(s strange) uint64 { return s.Document }},
		"answers a command so":       {answer("AddPortMapping", 200, "<root>"+nested.String()), func(s strange) uint64 { return s.Document }},
		"answers a fault so":         {answer("AddPortMapping", 500, "<html>"+strings.Repeat("x", documentMost)), func(s strange) uint64 { return s.Document }},
		"sends a command elsewhere":  {answer("AddPortMapping", 307, ""), func(s strange) uint64 { return s.Document }},
		"answers a command with 404": {answer("AddPortMapping", 404, ""), nil},
		"has many attributes":        {document("<root " + strings.Repeat(`a="b" `, 5000) + "/>"), func(s strange) uint64 { return s.Document }},
		"has no services":            {document("<root><device></device></root>"), nil},
	} {
		f := newFakeIGD(t)
		f.set(func() { c.set(f) })
		p, s := upnpAt(f)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		g, err := p.open(t.Context())
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: %+v", name, g)
			continue
		}
		if took > upnpTime {
			t.Errorf("%s: it took %v", name, took)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
			t.Errorf("%s: %d MB", name, n>>20)
		}
		if c.count != nil && c.count(s.counts()) == 0 {
			t.Errorf("%s was not counted: %+v (%v)", name, s.counts(), err)
		}
		if n := len(err.Error()); n > 500 {
			t.Errorf("%s: told in %d bytes", name, n)
		}
	}
	if elsewhere != 0 {
		t.Errorf("another host was asked %d times", elsewhere)
	}
}

// A router that redirects would have us ask anybody, and one that never ends would hold a
// goroutine for ever.
func TestARouterThatRedirectsOrNeverEnds(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	t.Cleanup(other.Close)
	for name, serve := range map[string]http.HandlerFunc{
		"redirects": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"redirects for ever": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusTemporaryRedirect)
		},
		"drips": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte("<a>")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		},
		"pours": func(w http.ResponseWriter, r *http.Request) {
			b := make([]byte, 64<<10)
			for r.Context().Err() == nil {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		},
		"sends endless headers": func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			defer conn.Close()
			conn.Write([]byte("HTTP/1.1 200 OK\r\n"))
			for {
				if _, err := conn.Write([]byte("X: " + strings.Repeat("y", 1000) + "\r\n")); err != nil {
					return
				}
			}
		},
		"says nothing": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeIGD(t)
			router := httptest.NewServer(serve)
			defer router.Close()
			f.set(func() { f.location = router.URL + "/rootDesc.xml" })
			p, s := upnpAt(f)
			start := time.Now()
			if err := p.probe(t.Context()); err == nil {
				t.Error("it is believed")
			}
			if counted := s.counts().Document > 0; counted != (name == "pours" || strings.HasPrefix(name, "redirects")) {
				t.Errorf("counted: %v", counted)
			}
			if took := time.Since(start); took > httpTime+2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestPinholesOfIPv6(t *testing.T) {
	f := newFakeIGD(t)
	p := newPinhole(askerAt(f.ssdp), request{client6, 7144})
	if err := p.probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	g, err := p.open(t.Context())
	if err != nil || g != (grant{netip.MustParseAddrPort("[2001:db8::2]:7144"), 7144, time.Hour}) ||
		len(f.pinholes) != 2 || f.pinholes[1] != "2001:db8::2 7144 6" || f.pinholes[2] != "2001:db8::2 7144 17" {
		t.Errorf("%+v, %v, %v", g, err, f.pinholes)
	}
	if _, err := p.open(t.Context()); err != nil || len(f.pinholes) != 2 {
		t.Errorf("%v, %v", err, f.pinholes)
	}
	if err := p.check(t.Context()); err != nil {
		t.Error(err)
	}
	f.set(func() { clear(f.pinholes) })
	if err := p.check(t.Context()); !errors.Is(err, errForgotten) {
		t.Error(err)
	}
	if _, err := p.open(t.Context()); err != nil || len(f.pinholes) != 2 {
		t.Errorf("%v, %v", err, f.pinholes)
	}
	if err := p.close(t.Context()); err != nil || len(f.pinholes) != 0 {
		t.Errorf("%v, %v", err, f.pinholes)
	}
	// As miniupnpd refuses who asks from another address than the one it is for.
	f.set(func() { f.codes["AddPinhole"] = 606 })
	if _, err := newPinhole(askerAt(f.ssdp), request{client6, 7144}).open(t.Context()); reasonOf(err) != Refused {
		t.Error(err)
	}
}

func TestAMapperUsesUPnPWhereThereIsNothingElse(t *testing.T) {
	f := newFakeIGD(t)
	m := &Mapper{Port: 7144, pcpPort: deaf(t).Port(), ssdpPort: f.ssdp.Port()}
	stop := mapperAt(t, m)
	start := time.Now()
	s := until(t, m, "a mapping", mapped)
	if s.Mappings[0].Protocol != UPnP {
		t.Errorf("%+v", s)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	stop()
	if got := f.mapped(); got != "map[]" {
		t.Errorf("%s is left", got)
	}
}

// A program that is ended while it asks must not leave the port open for two hours.
func TestAnEndThatComesBeforeTheAnswerLeavesNothing(t *testing.T) {
	f := newFakeIGD(t)
	p, _ := upnpAt(f)
	if err := p.probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.set(func() {
		f.body = func(action string) (int, string, bool) {
			if action == "AddPortMapping" {
				f.entries["TCP 7144"] = "127.0.0.1:7144"
				cancel()
				<-f.asker.Done()
			}
			return 0, "", false
		}
	})
	if _, err := p.open(ctx); err == nil {
		t.Error("it opened")
	}
	if err := p.close(t.Context()); err != nil || f.mapped() != "map[]" {
		t.Errorf("%v, left %s", err, f.mapped())
	}
	for name := range methodsOf(newFakePort(t)) {
		f := newFakePort(t)
		m := methodsOf(f)[name]
		ctx, cancel := context.WithCancel(t.Context())
		f.spoilBy(func(a []byte) [][]byte {
			if len(f.entries) > 0 {
				cancel()
				return nil
			}
			return [][]byte{a}
		})
		if _, err := m.open(ctx); err == nil {
			t.Errorf("%s opened", name)
		}
		f.spoilBy(nil)
		if n := f.count(); n != 1 {
			t.Errorf("%s: %d mappings", name, n)
		}
		if err := m.close(t.Context()); err != nil || f.count() != 0 {
			t.Errorf("%s: %v, %d are left", name, err, f.count())
		}
	}
}

// A router behind a provider's may have the address but refuse: the provider is the reason.
func TestARouterThatRefusesBehindAnotherIsNamedSo(t *testing.T) {
	f := newFakeIGD(t)
	f.set(func() { f.external, f.codes["AddPortMapping"] = "100.64.250.247", 501 })
	p, _ := upnpAt(f)
	if _, err := p.open(t.Context()); reasonOf(err) != CarrierNAT {
		t.Error(err)
	}
	g := newFakePort(t)
	g.set(func() { g.external, g.result = netip.MustParseAddr("192.168.1.7"), 3 })
	if _, err := newNATPMP(askerAt(g.at), want4()).open(t.Context()); reasonOf(err) != DoubleNAT {
		t.Error(err)
	}
}
