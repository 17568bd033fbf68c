package tv

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zaptest"

	"relay/playback"
	"relay/playback/api"
	"relay/playback/playtest"
	"relay/relay/multicast"
	"relay/relay/refusal"
)

// patience bounds every wait here; nothing takes that long.
const patience = time.Minute

func lo(t *testing.T) multicast.Interface {
	t.Helper()
	all, err := multicast.Interfaces(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i
		}
	}
	t.Fatal("no loopback interface")
	return multicast.Interface{}
}

// serve runs a server on loopback until the test ends, and returns where it is and how to end it sooner.
func serve(t *testing.T, c Config) (s *Server, stop func()) {
	t.Helper()
	probe, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	c.SSDPPort = probe.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	probe.Close()
	c.Interfaces, c.Log = []string{lo(t).Name}, zaptest.NewLogger(t)
	if c.Near == nil {
		c.Near = func(a netip.Addr) bool { return a.IsLoopback() }
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = New(c)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return s, stop
}

// find asks for a target until n answers have come, and returns the last one's headers.
func find(t *testing.T, s *Server, target string, n int) http.Header {
	t.Helper()
	conn, ask, err := multicast.From(lo(t), netip.MustParseAddr("127.0.0.1"))
	if err != nil || ask != nil {
		t.Fatal(err, ask)
	}
	defer conn.Close()
	q := "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 0\r\nST: " + target + "\r\n\r\n"
	b := make([]byte, 2048)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := conn.WriteToUDPAddrPort([]byte(q), netip.AddrPortFrom(group, s.cfg.SSDPPort)); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(time.Second))
		var h http.Header
		for i := range n {
			k, _, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				break // it may not have joined yet
			}
			resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b[:k])), nil)
			if err != nil {
				t.Fatalf("%v: %q", err, b[:k])
			}
			if h = resp.Header; i == n-1 {
				return h
			}
		}
	}
	t.Fatalf("%s is not found", target)
	return nil
}

func read(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// soap calls an action, and returns the values of the answer and the fault's code, "" for none.
func soap(t *testing.T, to, service, action, args string) (out map[string]string, fault string) {
	t.Helper()
	body := fmt.Sprintf(`<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:%s xmlns:u="%s">%s</u:%[1]s></s:Body></s:Envelope>`, action, service, args)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(body))
	req.Header.Set("SOAPACTION", `"`+service+"#"+action+`"`)
	resp, err := http.DefaultClient.Do(req)
	text := read(t, resp, err)
	out = make(map[string]string)
	d := xml.NewDecoder(strings.NewReader(text))
	name := ""
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			name = tok.Name.Local
		case xml.CharData:
			out[name] += string(tok)
		}
	}
	if (resp.StatusCode == http.StatusInternalServerError) != (out["errorCode"] != "") {
		t.Errorf("%s with error %q", resp.Status, out["errorCode"])
	}
	return out, out["errorCode"]
}

func browse(id, flag, from, most string) string {
	return "<ObjectID>" + id + "</ObjectID><BrowseFlag>" + flag + "</BrowseFlag><Filter>*</Filter><StartingIndex>" + from + "</StartingIndex><RequestedCount>" + most + "</RequestedCount><SortCriteria></SortCriteria>"
}

// didlOf reads a list.
func didlOf(t *testing.T, text string) (items []struct {
	ID    string `xml:"id,attr"`
	Title string `xml:"title"`
	Res   struct {
		Protocol string `xml:"protocolInfo,attr"`
		URL      string `xml:",chardata"`
	} `xml:"res"`
},
) {
	t.Helper()
	list := struct {
		Items any `xml:"item"`
	}{&items}
	if err := xml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return items
}

// TestATVFindsBrowsesAndPlays is a control point: SSDP, the description, SOAP, and ffmpeg for the TV.
func TestATVFindsBrowsesAndPlays(t *testing.T) {
	t.Parallel()
	const title = `A <b>"hostile" & title</b>`
	at, ch := playtest.Live(t, "../../cli/demo/demo.flv", title, playback.Config{})
	s, _ := serve(t, Config{Name: "relay <kitchen>", Node: "n", Agent: "relay/0", Players: at, Channels: func() []api.Channel { return []api.Channel{ch.About()} }})
	for _, target := range []string{"upnp:rootdevice", typeDevice, typeDirectory, typeConnections, s.id} {
		if h := find(t, s, target, 1); h.Get("ST") != target || h.Get("USN") != s.usn(target) {
			t.Errorf("%s: %v", target, h)
		}
	}
	h := find(t, s, "ssdp:all", 5)
	var d struct {
		Device struct {
			Name     string `xml:"friendlyName"`
			UDN      string
			Services []struct {
				Type    string `xml:"serviceType"`
				SCPD    string `xml:"SCPDURL"`
				Control string `xml:"controlURL"`
			} `xml:"serviceList>service"`
		} `xml:"device"`
	}
	resp, err := http.Get(h.Get("Location"))
	if err := xml.Unmarshal([]byte(read(t, resp, err)), &d); err != nil || d.Device.Name != "relay <kitchen>" || d.Device.UDN != s.id || len(d.Device.Services) != 2 {
		t.Fatalf("%v: %+v", err, d)
	}
	base, _ := url.Parse(h.Get("Location"))
	for _, sv := range d.Device.Services {
		u, _ := base.Parse(sv.SCPD)
		resp, err := http.Get(u.String())
		var scpd struct {
			Actions []string `xml:"actionList>action>name"`
		}
		if err := xml.Unmarshal([]byte(read(t, resp, err)), &scpd); err != nil || len(scpd.Actions) < 3 {
			t.Errorf("%s: %v %v", sv.Type, err, scpd.Actions)
		}
	}
	control, _ := base.Parse(d.Device.Services[0].Control)
	var out map[string]string
	for end := time.Now().Add(patience); out["TotalMatches"] != "1"; {
		if out, _ = soap(t, control.String(), typeDirectory, "Browse", browse("0", "BrowseDirectChildren", "0", "0")); time.Now().After(end) {
			t.Fatal("there is no channel")
		}
	}
	items := didlOf(t, out["Result"])
	if len(items) != 1 || items[0].Title != title || items[0].Res.Protocol != "http-get:*:video/mpeg:"+playback.TVFeatures {
		t.Fatalf("%+v", items)
	}
	media := items[0].Res.URL
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		req, _ := http.NewRequestWithContext(t.Context(), method, media, nil)
		req.Header = http.Header{"Range": {"bytes=5000000-"}, "getcontentFeatures.dlna.org": {"1"}}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if h := resp.Header; resp.StatusCode != http.StatusOK || h.Get("Content-Type") != "video/mpeg" || h.Get("transferMode.dlna.org") != "Streaming" || h.Get("contentFeatures.dlna.org") != playback.TVFeatures {
			t.Errorf("%s: %s %v", method, resp.Status, h)
		}
	}
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-xerror", "-i", media, "-frames:v", "20", "-frames:a", "20", "-f", "framecrc", "-")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	frames, err := cmd.Output()
	if pictures, sound := strings.Count(string(frames), "\n0, "), strings.Count(string(frames), "\n1, "); err != nil || pictures != 20 || sound < 20 {
		t.Errorf("%v: %d pictures and %d sounds, %s", err, pictures, sound, complaints.String())
	}
}

// A TV that goes off the air is told twice that it is there, and once that it no longer is.
func TestWhoListensIsTold(t *testing.T) {
	t.Parallel()
	ear, err := multicast.Listen(t.Context(), group, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	port := ear.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if _, failed := ear.Follow([]multicast.Interface{lo(t)}); failed != nil {
		t.Fatal(failed)
	}
	s := New(Config{Node: "n", SSDPPort: port})
	b := &beacon{Server: s, port: 7150}
	heard := func() string {
		ear.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 2048)
		n, _, _, err := ear.Read(buf, make([]byte, multicast.ControlSize))
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	for _, alive := range []bool{true, false} {
		b.say([]multicast.Interface{lo(t)}, alive)
		for _, target := range s.targets("ssdp:all") {
			text := heard()
			if !strings.HasPrefix(text, "NOTIFY * HTTP/1.1\r\n") || !strings.Contains(text, "\r\nNT: "+target+"\r\n") || !strings.Contains(text, "\r\nUSN: "+s.usn(target)+"\r\n") ||
				strings.Contains(text, "ssdp:alive") != alive || strings.Contains(text, "LOCATION: http://127.0.0.1:7150/tv.xml\r\n") != alive {
				t.Errorf("%s: %q", target, text)
			}
		}
	}
}

// channels are made up.
func channels(n int) func() []api.Channel {
	return func() (all []api.Channel) {
		for i := range n {
			all = append(all, api.Channel{ID: fmt.Sprintf("id%d", i), Name: fmt.Sprintf("n%d", i), Title: fmt.Sprintf("t%d", i), State: api.Live, Codec: api.Codec{Video: "hevc", Audio: "mp3"}})
		}
		return all
	}
}

func TestPagesOfAListAndFaults(t *testing.T) {
	t.Parallel()
	s := New(Config{Name: "x", Node: "n", Channels: channels(150), Near: func(netip.Addr) bool { return true }, Players: netip.MustParseAddrPort("192.0.2.1:7145")})
	srv := newHTTP(t, s)
	for args, want := range map[string]string{
		browse("0", "BrowseDirectChildren", "0", "0"):          "64 of 150",
		browse("0", "BrowseDirectChildren", "0", "4294967295"): "64 of 150",
		browse("0", "BrowseDirectChildren", "149", "10"):       "1 of 150",
		browse("0", "BrowseDirectChildren", "4294967295", "1"): "0 of 150",
		browse("0", "BrowseDirectChildren", "10", "3"):         "3 of 150",
		browse("0", "BrowseMetadata", "0", "0"):                "1 of 1",
		browse("id7", "BrowseMetadata", "0", "0"):              "1 of 1",
		browse("id7", "BrowseDirectChildren", "0", "0"):        "0 of 0",
		browse("id150", "BrowseMetadata", "0", "0"):            "701",
		browse("0", "BrowseEverything", "0", "0"):              "402",
		browse("0", "BrowseDirectChildren", "-1", "0"):         "402",
		browse("0", "BrowseDirectChildren", "0", "4294967296"): "402",
		"": "402",
	} {
		out, fault := soap(t, srv+pathDirectory, typeDirectory, "Browse", args)
		got := fault
		if fault == "" {
			got = out["NumberReturned"] + " of " + out["TotalMatches"]
			if n := fmt.Sprint(strings.Count(out["Result"], "<item ")+strings.Count(out["Result"], "<container ")) + " "; !strings.HasPrefix(got, n) {
				t.Errorf("%s lists %s", args, n)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
	for _, c := range [][4]string{
		{pathDirectory, typeDirectory, "GetSearchCapabilities", ""},
		{pathDirectory, typeDirectory, "GetSortCapabilities", ""},
		{pathDirectory, typeDirectory, "DestroyObject", "401"},
		{pathDirectory, typeDirectory, "X_GetFeatureList", "401"},
		{pathConnections, typeConnections, "GetProtocolInfo", ""},
		{pathConnections, typeConnections, "GetCurrentConnectionIDs", ""},
		{pathConnections, typeConnections, "GetCurrentConnectionInfo", "706"},
		{pathConnections, typeConnections, "Browse", "401"},
	} {
		if _, fault := soap(t, srv+c[0], c[1], c[2], ""); fault != c[3] {
			t.Errorf("%s: %q, want %q", c[2], fault, c[3])
		}
	}
}

func newHTTP(t *testing.T, s *Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	l := playback.Listener{Handler: s, Most: maxConns, Own: s.cfg.Near, Cut: s.refused.Add, Log: zaptest.NewLogger(t)}
	wg.Go(func() { l.Run(ctx, ln) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return "http://" + ln.Addr().String()
}

func TestTheListSaysWhenItHasChangedAndWhatIsNotOnIt(t *testing.T) {
	var now []api.Channel
	var told []string
	s := New(Config{Node: "n", Channels: func() []api.Channel { return now }, Unfit: func(c api.Channel) { told = append(told, c.ID) }})
	one := api.Channel{ID: "a", Title: "t", State: api.Live, Codec: api.Codec{Video: "h264", Audio: "aac"}}
	last := uint32(0)
	for i, c := range []struct {
		change func(*api.Channel)
		fit    bool
		fresh  bool
	}{
		{func(c *api.Channel) {}, true, true},
		{func(c *api.Channel) {}, true, false},
		{func(c *api.Channel) { c.Title = "u" }, true, true},
		{func(c *api.Channel) { c.Private = true }, true, false},
		{func(c *api.Channel) { c.Unread = true }, false, true},
		{func(c *api.Channel) { c.Unread, c.State = false, api.Waiting }, false, false},
		{func(c *api.Channel) { c.State, c.Codec.Video = api.Live, "av1" }, false, false},
		{func(c *api.Channel) { c.Codec = api.Codec{Video: "h264", Audio: "opus"} }, false, false},
		{func(c *api.Channel) { c.Codec = api.Codec{Video: "hevc"} }, true, true},
	} {
		c.change(&one)
		now = []api.Channel{one}
		fit, version := s.list()
		if (len(fit) == 1) != c.fit || (version != last) != c.fresh {
			t.Errorf("%d: %d channels, version %d after %d", i, len(fit), version, last)
		}
		last = version
	}
	if fmt.Sprint(told) != "[a]" {
		t.Errorf("told of %v", told)
	}
}

// TestStrangersGetNothing sends what a TV does not.
func TestStrangersGetNothing(t *testing.T) {
	t.Parallel()
	s := New(Config{Node: "n", Channels: channels(1), Near: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }})
	srv := newHTTP(t, s)
	host := strings.TrimPrefix(srv, "http://")
	good := `<s:Envelope xmlns:s="s"><s:Body><u:Browse xmlns:u="u"><ObjectID>0</ObjectID><BrowseFlag>BrowseMetadata</BrowseFlag></u:Browse></s:Body></s:Envelope>`
	post := func(head, body string) string {
		return "POST /directory HTTP/1.1\r\nHost: " + host + "\r\n" + head + "\r\n\r\n" + body
	}
	length := func(body string) string { return post(fmt.Sprintf("Content-Length: %d", len(body)), body) }
	for name, c := range map[string]struct {
		send string
		code int
		why  refusal.Reason
	}{
		"a good one":                 {length(good), 200, ""},
		"a host's name":              {"GET /tv.xml HTTP/1.1\r\nHost: evil.example:7150\r\n\r\n", 403, playback.RefusedHost},
		"a page":                     {post("Origin: https://evil.example\r\nContent-Length: 0", ""), 403, playback.RefusedSite},
		"a page that says less":      {post("Sec-Fetch-Site: cross-site\r\nContent-Length: 0", ""), 403, playback.RefusedSite},
		"a proxy":                    {post("X-Forwarded-For: 127.0.0.1\r\nContent-Length: 0", ""), 403, playback.RefusedNetwork},
		"another method":             {"PUT /directory HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n\r\n", 405, playback.RefusedMethod},
		"nothing":                    {length(""), 400, refusedBody},
		"1 GB announced":             {post("Content-Length: 1000000000", "<"), 413, refusedBody},
		"20 KiB":                     {length(good + strings.Repeat(" ", 20<<10)), 413, refusedBody},
		"chunks without an end":      {post("Transfer-Encoding: chunked", strings.Repeat("1000\r\n"+strings.Repeat("<", 0x1000)+"\r\n", 5)), 413, refusedBody},
		"a thousand laughs":          {length(`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>` + strings.Replace(good, ">0<", ">&b;<", 1)), 400, refusedBody},
		"an entity without its type": {length(strings.Replace(good, ">0<", ">&b;<", 1)), 400, refusedBody},
		"a file for an entity":       {length(`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + strings.Replace(good, ">0<", ">&a;<", 1)), 400, refusedBody},
		"a thousand deep":            {length("<Envelope>" + strings.Repeat("<a>", 4000)), 400, refusedBody},
		"a thousand arguments":       {length("<Envelope><Body><Browse>" + strings.Repeat("<a/>", 1000) + "</Browse></Body></Envelope>"), 400, refusedBody},
		"an argument of 2 KiB":       {length(strings.Replace(good, ">0<", ">"+strings.Repeat("0", 2048)+"<", 1)), 400, refusedBody},
		"two actions":                {length(strings.Replace(good, "</s:Body>", "<x/></s:Body>", 1)), 400, refusedBody},
		"half of one":                {length(good[:len(good)-5]), 400, refusedBody},
		"UTF-16":                     {length("<?xml version='1.0' encoding='utf-16'?>" + good), 400, refusedBody},
		"no UTF-8":                   {length(strings.Replace(good, ">0<", ">\xff<", 1)), 400, refusedBody},
		"a subscription":             {"SUBSCRIBE /directory HTTP/1.1\r\nHost: " + host + "\r\nCALLBACK: <http://192.0.2.9:80/>\r\nNT: upnp:event\r\n\r\n", 200, ""},
		"the end of one":             {"UNSUBSCRIBE /directory HTTP/1.1\r\nHost: " + host + "\r\nSID: uuid:x\r\n\r\n", 200, ""},
	} {
		before := s.Refused()
		conn, err := net.Dial("tcp4", host)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, c.send); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != c.code {
			t.Errorf("%s: %v, %v; want %d", name, err, resp, c.code)
		}
		conn.Close()
		for why, n := range s.Refused() {
			if want := before[why]; n != want+map[bool]uint64{true: 1}[why == c.why] {
				t.Errorf("%s: %s is counted %d times more", name, why, n-want)
			}
		}
	}
}

// TestAForgedAddressGetsLittle floods with searches from one address, and from many. What goes out is bounded.
func TestAForgedAddressGetsLittle(t *testing.T) {
	s := New(Config{Node: "n", Channels: channels(1)})
	ear, err := multicast.Listen(t.Context(), group, 0)
	if err != nil {
		t.Fatal(err)
	}
	ear.Close()                                                         // nothing is sent in earnest
	synctest.Test(t, func(t *testing.T) { forgedAddresses(t, s, ear) }) // no time passes
}

func forgedAddresses(t *testing.T, s *Server, ear *multicast.Socket) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBeacon(s, 7150, ear)
	b.ifs = []multicast.Interface{{Interface: net.Interface{Index: 3}, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.1.5/24")}}}
	q := search{"ssdp:all", time.Second}
	ask := func(from string, index int) refusal.Reason {
		before := s.Refused()
		b.answer(ctx, q, netip.MustParseAddrPort(from), index)
		b.wg.Wait()
		for why, n := range s.Refused() {
			if n != before[why] {
				return why
			}
		}
		return ""
	}
	for from, want := range map[string]refusal.Reason{"203.0.113.9:1900": refusedFrom, "192.168.2.1:1900": refusedFrom, "127.0.0.1:5000": refusedFrom} {
		if got := ask(from, 3); got != want {
			t.Errorf("from %s: %q", from, got)
		}
	}
	if got := ask("192.168.1.9:1900", 4); got != refusedFrom {
		t.Errorf("by another interface: %q", got)
	}
	answered := 0
	for range 100 {
		if ask("192.168.1.9:1900", 3) == "" {
			answered++
		}
	}
	if answered != oneBurst/5 {
		t.Errorf("%d of 100 searches of one address are answered", answered)
	}
	for i := range 40 { // in place of twenty: some have forged many
		for range oneBurst / 5 {
			if ask(fmt.Sprintf("192.168.1.%d:1900", 10+i), 3) == "" {
				answered++
			}
		}
		if i == 18 {
			if got := ask("192.168.1.200:1900", 3); got != "" {
				t.Errorf("beside twenty addresses that ask all they can: %q", got)
			}
			answered++
		}
	}
	if answered != allBurst/5 {
		t.Errorf("%d searches are answered, want %d", answered, allBurst/5)
	}
	time.Sleep(time.Minute)
	for range maxPending {
		b.slot <- struct{}{} // as many answers wait
	}
	if got := ask("192.168.1.201:1900", 3); got != "" {
		t.Errorf("while many wait: %q", got)
	}
	if got := ask("192.168.1.250:0", 3); got != "" {
		t.Errorf("port 0: %q", got)
	}
}

func TestSearchesAreRead(t *testing.T) {
	const head = "M-SEARCH * HTTP/1.1\r\n"
	for text, want := range map[string]any{
		head + "HOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n":                     search{"ssdp:all", 2 * time.Second},
		head + "Host:239.255.255.250:1900\r\nMan:ssdp:discover\r\nMX:120\r\nst:upnp:rootdevice\r\nUSER-AGENT: DLNADOC\r\n": search{"upnp:rootdevice", maxWait},
		head + "MAN: \"ssdp:discover\"\r\nST: x\r\n\r\n":                                                                   search{"x", time.Second},
		head + "MAN: \"ssdp:discover\"\nMX: 0\nST: x\n\n":                                                                  search{"x", 0},
		head + "MAN: \"ssdp:discover\"\r\n\r\n":                                                                            errSearch,
		head + "ST: ssdp:all\r\n\r\n":                                                                                      errSearch,
		head + "MAN: \"ssdp:discover\"\r\nMX: -1\r\nST: x\r\n\r\n":                                                         errSearch,
		head + "MAN: \"ssdp:discover\"\r\nMX: 99999\r\nST: x\r\n\r\n":                                                      errSearch,
		head + strings.Repeat("a: b\r\n", 40) + "MAN: \"ssdp:discover\"\r\nST: x\r\n\r\n":                                  errSearch,
		head + "ST: " + strings.Repeat("x", maxSearch):                                                                     errSearch,
		"M-SEARCH * HTTP/1.0\r\nMAN: \"ssdp:discover\"\r\nST: x\r\n\r\n":                                                   errSearch,
		"GET / HTTP/1.1\r\n\r\n":                                                                                           errSearch,
		"":                                                                                                                 errSearch,
		"\x00\xff":                                                                                                         errSearch,
		"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n\r\n":                                                                     errOther,
		"HTTP/1.1 200 OK\r\nST: x\r\n\r\n":                                                                                 errOther,
	} {
		q, err := parseSearch([]byte(text))
		if err != nil && err != want || err == nil && q != want {
			t.Errorf("%q: %v %v, want %v", text, q, err, want)
		}
	}
}

func FuzzTV(f *testing.F) {
	f.Add([]byte("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"))
	f.Add([]byte(`<s:Envelope xmlns:s="s"><s:Body><u:Browse xmlns:u="u"><ObjectID>0</ObjectID><BrowseFlag>BrowseDirectChildren</BrowseFlag></u:Browse></s:Body></s:Envelope>`))
	f.Add([]byte("M-SEARCH * HTTP/1.1\r\nMAN:ssdp:discover\nST:0\r0\n"))
	s := New(Config{Node: "n", Channels: channels(3)})
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := parseSearch(b); err == nil && (q.target == "" || q.wait < 0 || q.wait > maxWait) {
			t.Errorf("%+v", q)
		} else if err == nil {
			for _, target := range s.targets(q.target) { // what goes into an answer
				if strings.ContainsAny(target, "\r\n") {
					t.Errorf("%q", target)
				}
			}
		}
		c, err := parseCall(b)
		if err != nil {
			return
		}
		for _, v := range c.args {
			if len(v) > maxArg {
				t.Errorf("an argument of %d bytes", len(v))
			}
		}
		r, _ := http.NewRequest(http.MethodPost, "/", nil)
		out, fault := s.directory(r, c)
		text := ""
		if fault != nil {
			text = fault.text()
		} else {
			text = answer(pathDirectory, c.name, out)
		}
		if err := xml.Unmarshal([]byte(text), &struct{}{}); err != nil {
			t.Errorf("%v in %s", err, text)
		}
	})
}
