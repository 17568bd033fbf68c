package portmap

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// unhex reads bytes written in hexadecimal, with blanks where it helps.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	client4   = netip.MustParseAddr("192.168.1.2")
	client6   = netip.MustParseAddr("2001:db8::2")
	someNonce = nonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
)

func TestPCPRequestsByteForByte(t *testing.T) {
	for name, c := range map[string]struct {
		q    pcpRequest
		want string
	}{
		"announce": {
			pcpRequest{op: pcpAnnounce, client: client4},
			"02 00 0000 00000000 00000000000000000000ffffc0a80102",
		},
		"map": {
			pcpRequest{op: pcpMap, lifetime: 7200, client: client4, nonce: someNonce, protocol: protoTCP, internal: 7144, external: 7144},
			"02 01 0000 00001c20 00000000000000000000ffffc0a80102" +
				"0102030405060708090a0b0c 06 000000 1be8 1be8 00000000000000000000ffff00000000",
		},
		"remove": {
			pcpRequest{op: pcpMap, client: client4, nonce: someNonce, protocol: protoUDP, internal: 7144},
			"02 01 0000 00000000 00000000000000000000ffffc0a80102" +
				"0102030405060708090a0b0c 11 000000 1be8 0000 00000000000000000000ffff00000000",
		},
		"pinhole": {
			pcpRequest{op: pcpMap, lifetime: 7200, client: client6, nonce: someNonce, protocol: protoTCP, internal: 7144, external: 7144},
			"02 01 0000 00001c20 20010db8000000000000000000000002" +
				"0102030405060708090a0b0c 06 000000 1be8 1be8 00000000000000000000000000000000",
		},
	} {
		if got := c.q.append(nil); hex.EncodeToString(got) != strings.Join(strings.Fields(c.want), "") {
			t.Errorf("%s: %x", name, got)
		}
	}
}

const goodPCP = "02 81 00 00 00000e10 0000002a 000000000000000000000000" +
	"0102030405060708090a0b0c 06 000000 1be8 1be9 00000000000000000000ffff0b162143"

func TestPCPAnswers(t *testing.T) {
	got, err := parsePCP(unhex(t, goodPCP))
	want := pcpAnswer{
		op: pcpMap, lifetime: 3600, epoch: 42, mapped: true, nonce: someNonce, protocol: protoTCP,
		internal: 7144, external: 7145, address: netip.MustParseAddr("11.22.33.67"),
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		packet string
		err    error
	}{
		"empty":                       {"", errMalformed},
		"a byte":                      {"02", errMalformed},
		"one byte short":              {"02 80 00 00 00000000 0000002a 0000000000000000000000", errMalformed},
		"not a multiple of four":      {goodPCP + "00", errMalformed},
		"longer than may be":          {goodPCP + strings.Repeat("00", 1044), errMalformed},
		"a request":                   {strings.Replace(goodPCP, "81", "01", 1), errMalformed},
		"NAT-PMP refuses the version": {"00 81 0001 0000002a", errOldVersion},
		"an older PCP":                {"01" + goodPCP[2:], errOldVersion},
		"a version not known yet":     {"03" + goodPCP[2:], errOldVersion},
	} {
		if a, err := parsePCP(unhex(t, c.packet)); !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	// Without its mapping an answer belongs to no question.
	if a, err := parsePCP(unhex(t, "02 81 00 02 00000000 0000002a 000000000000000000000000")); err != nil || a.mapped {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestPMPRequestsByteForByte(t *testing.T) {
	for want, q := range map[string]pmpRequest{
		"0000":                     {op: pmpAddress},
		"000200001be81be800001c20": {op: pmpMapTCP, internal: 7144, external: 7144, lifetime: 7200},
		"000100001be8000000000000": {op: pmpMapUDP, internal: 7144},
	} {
		if got := hex.EncodeToString(q.append(nil)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPMPAnswers(t *testing.T) {
	for packet, want := range map[string]pmpAnswer{
		"00 80 0000 0000002a 0b162143":           {op: pmpAddress, epoch: 42, address: netip.MustParseAddr("11.22.33.67")},
		"00 82 0000 0000002a 1be8 1be9 00000e10": {op: pmpMapTCP, epoch: 42, internal: 7144, external: 7145, lifetime: 3600},
		"00 81 0000 0000002a 1be8 1be9 ffffffff": {op: pmpMapUDP, epoch: 42, internal: 7144, external: 7145, lifetime: 1<<32 - 1},
		"00 82 0002 0000002a":                    {op: pmpMapTCP, result: 2, epoch: 42},
	} {
		if got, err := parsePMP(unhex(t, packet)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", packet, got, err)
		}
	}
	for name, packet := range map[string]string{
		"empty":             "",
		"seven bytes":       "00 80 0000 000000",
		"address cut":       "00 80 0000 0000002a 0b1621",
		"mapping cut":       "00 82 0000 0000002a 1be8 1be9 000e10",
		"a request":         "00 02 0000 1be8 1be8 00001c20",
		"PCP":               goodPCP,
		"unknown operation": "00 83 0000 0000002a 1be8 1be9 00000e10",
		"endless":           "00 80 0000 0000002a 0b162143" + strings.Repeat("00", 1100),
	} {
		if got, err := parsePMP(unhex(t, packet)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestSearchByteForByte(t *testing.T) {
	got := string(search(netip.MustParseAddrPort("192.168.1.1:1900"), ssdpTargets[1]))
	const want = "M-SEARCH * HTTP/1.1\r\nHOST: 192.168.1.1:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n" +
		"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
	if got != want {
		t.Errorf("%q", got)
	}
}

func TestAnswersToASearch(t *testing.T) {
	for name, c := range map[string]struct {
		packet, location string
		gateway, ok      bool
	}{
		"MikroTik": {
			"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=3600\r\nEXT: \r\nLOCATION: http://192.168.8.1:2828/gateway_description.xml\r\n" +
				"SERVER: RouterOS/7.16UPnP/1.0 MikroTik UPnP/1.0\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n",
			"http://192.168.8.1:2828/gateway_description.xml", true, true,
		},
		"something else of the router's": {"HTTP/1.1 200 OK\r\nlocation:http://192.168.8.1:49152/wps.xml\r\nST: urn:schemas-wifialliance-org:device:WFADevice:1\r\n", "http://192.168.8.1:49152/wps.xml", false, true},
		"bare line ends":                 {"HTTP/1.0 200 OK\nLocation: http://10.0.0.1/\nUSN: uuid:1::urn:schemas-upnp-org:device:InternetGatewayDevice:2\n", "http://10.0.0.1/", true, true},
		"no location":                    {"HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n", "", false, false},
		"an announcement":                {"NOTIFY * HTTP/1.1\r\nLOCATION: http://10.0.0.1/\r\n", "", false, false},
		"refused":                        {"HTTP/1.1 404 Not Found\r\nLOCATION: http://10.0.0.1/\r\n", "", false, false},
		"our own question":               {string(search(netip.MustParseAddrPort("10.0.0.1:1900"), "ssdp:all")), "", false, false},
		"empty":                          {"", "", false, false},
		"zeros":                          {strings.Repeat("\x00", 2048), "", false, false},
	} {
		location, gateway, err := parseSearchAnswer([]byte(c.packet))
		if location != c.location || gateway != c.gateway || (err == nil) != c.ok {
			t.Errorf("%s: %q, %v, %v", name, location, gateway, err)
		}
	}
}

// A router that names another host would have us fetch from there, or send our commands.
func TestOnlyTheRoutersOwnAddressIsUsed(t *testing.T) {
	for s, ok := range map[string]bool{
		"http://192.168.1.1/rootDesc.xml":        true,
		"http://192.168.1.1:5000/rootDesc.xml":   true,
		"https://192.168.1.1/rootDesc.xml":       false,
		"http://192.168.1.2/rootDesc.xml":        false,
		"http://192.168.1.1.example.org/":        false,
		"http://router.lan/rootDesc.xml":         false,
		"http://192.168.1.1@198.51.100.9/x.xml":  false,
		"http://user:pw@192.168.1.1/x.xml":       false,
		"http://127.0.0.1:8080/admin":            false,
		"http://[::ffff:192.168.1.1]/x.xml":      false,
		"http://[fe80::1]/x.xml":                 false,
		"http://0xc0a80101/x.xml":                false,
		"file:///etc/passwd":                     false,
		"http:192.168.1.1/x.xml":                 false,
		"//192.168.1.1/x.xml":                    false,
		"":                                       false,
		"http://192.168.1.1:99999999999999/x":    false,
		"http://192.168.1.1/\x00":                false,
		"gopher://192.168.1.1:70/_GET%20/":       false,
		"http://192.168.1.1:5000/ctl/IPConn?a=b": true,
	} {
		u, err := atRouter(s, netip.MustParseAddr("192.168.1.1"))
		if s == "http://192.168.1.1:99999999999999/x" && err == nil {
			continue // such a port cannot be dialled
		}
		if (err == nil) != ok {
			t.Errorf("%q: %v, %v", s, u, err)
		}
	}
	// With IPv6, the connection goes to the router that was asked, whatever address is named.
	if _, err := atRouter("http://[2001:db8::1]:5000/d.xml", netip.MustParseAddr("fe80::1%eth0")); err != nil {
		t.Error(err)
	}
	if _, err := atRouter("http://192.168.1.1:5000/d.xml", netip.MustParseAddr("fe80::1%eth0")); err == nil {
		t.Error("a router asked by IPv6 leads to IPv4")
	}
}

func FuzzPCP(f *testing.F) {
	f.Add(unhex(f, goodPCP))
	f.Add(unhex(f, "00 81 0001 0000002a"))
	f.Add(unhex(f, "02 80 00 00 00000000 0000002a 000000000000000000000000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parsePCP(b)
		if err == nil && (len(b) < pcpHeadLen || a.op > 0x7f || a.mapped != (a.op == pcpMap && len(b) >= pcpMapLen)) {
			t.Errorf("%x is %+v", b, a)
		}
	})
}

func FuzzPMP(f *testing.F) {
	f.Add(unhex(f, "00 80 0000 0000002a 0b162143"))
	f.Add(unhex(f, "00 82 0000 0000002a 1be8 1be9 00000e10"))
	f.Add(unhex(f, "00 82 0002 0000002a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parsePMP(b)
		if err == nil && a.result == 0 && a.op == pmpAddress && !a.address.Is4() {
			t.Errorf("%x is %+v", b, a)
		}
	})
}

func FuzzSearchAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nLOCATION: http://192.168.8.1:2828/d.xml\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		location, _, err := parseSearchAnswer(b)
		if err != nil {
			return
		}
		router := netip.MustParseAddr("192.168.8.1")
		if u, err := atRouter(location, router); err == nil && u.Hostname() != router.String() {
			t.Errorf("%q leads to %q", b, u)
		}
	})
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<root><device>\xff</device></root>\x00"))
	f.Add([]byte("<a>" + strings.Repeat("<b/>", 5000) + "</a>"))
	f.Add([]byte(`<!DOCTYPE lolz [<!ENTITY lol "lol">]><a>&lol;</a>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := tidy(b)
		if err == nil && !shallow(out) {
			t.Errorf("%q", out)
		}
	})
}
