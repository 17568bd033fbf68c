package portmap

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fakeIGD is a router that speaks UPnP on loopback.
type fakeIGD struct {
	ssdp netip.AddrPort
	http *httptest.Server

	mu       sync.Mutex
	kind     string // of its service, as "WANIPConnection:1"
	location string // empty for the right one
	document string // its description; empty for the right one
	base     string // its URLBase
	control  string // where it takes commands
	external string
	entries  map[string]string // "TCP 7144": "127.0.0.1:7144"
	foreign  map[string]bool   // ports that somebody else has
	codes    map[string]int    // an action that fails with this code
	lease    bool              // it knows leases
	leases   []string          // that were asked for
	calls    []string
	asker    context.Context                                        // of the newest command: it ends when whoever asked has gone
	body     func(action string) (status int, body string, ok bool) // instead of an answer
	pinholes map[int]string
	next     int
}

func newFakeIGD(t *testing.T) *fakeIGD {
	f := &fakeIGD{
		kind: "WANIPConnection:1", external: "11.22.33.44", lease: true, control: "/ctl/IPConn",
		entries: map[string]string{}, foreign: map[string]bool{}, codes: map[string]int{}, pinholes: map[int]string{},
	}
	f.http = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.http.Close)
	f.ssdp = fakeUDP(t, f.search)
	return f
}

func (f *fakeIGD) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeIGD) mapped() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(f.entries)
}

func (f *fakeIGD) search(b []byte) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, st, _ := strings.Cut(string(b), "\r\nST: ")
	st, _, _ = strings.Cut(st, "\r\n")
	if st != "urn:schemas-upnp-org:device:InternetGatewayDevice:1" {
		return nil
	}
	location := f.location
	if location == "" {
		location = f.http.URL + "/rootDesc.xml"
	}
	return [][]byte{[]byte("HTTP/1.1 200 OK\r\nST: " + st + "\r\nUSN: uuid:7::" + st + "\r\nLOCATION: " + location + "\r\n\r\n")}
}

var argument = regexp.MustCompile(`<(New\w+|[A-Z]\w+)>([^<]*)</`)

func (f *fakeIGD) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodGet {
		if f.body != nil {
			if status, body, ok := f.body("describe"); ok {
				w.WriteHeader(status)
				io.WriteString(w, body)
				return
			}
		}
		io.WriteString(w, f.describe())
		return
	}
	_, action, _ := strings.Cut(strings.Trim(r.Header.Get("SOAPAction"), `"`), "#")
	b, _ := io.ReadAll(r.Body)
	args := map[string]string{}
	for _, m := range argument.FindAllStringSubmatch(string(b), -1) {
		args[m[1]] = m[2]
	}
	f.calls, f.asker = append(f.calls, action), r.Context()
	if f.body != nil {
		if status, body, ok := f.body(action); ok {
			w.WriteHeader(status)
			io.WriteString(w, body)
			return
		}
	}
	out, code := f.act(action, args)
	if code != 0 {
		// As MikroTik writes it, which spells faultCode so.
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">
<s:Body><s:Fault><faultCode>s:Client</faultCode><faultString>UPnPError</faultString><detail>
<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode><errorDescription>No%s</errorDescription></UPnPError>
</detail></s:Fault></s:Body></s:Envelope>`, code, "\x1b[31m")
		return
	}
	fmt.Fprintf(w, `<?xml version="1.0" encoding="iso-8859-1"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:%[1]sResponse xmlns:u="urn:schemas-upnp-org:service:%[2]s">%[3]s</u:%[1]sResponse></s:Body></s:Envelope>`+"\x00\x00", action, f.kind, out)
}

func (f *fakeIGD) act(action string, args map[string]string) (out string, code int) {
	if c := f.codes[action]; c != 0 {
		return "", c
	}
	at := args["NewProtocol"] + " " + args["NewExternalPort"]
	inside := args["NewInternalClient"] + ":" + args["NewInternalPort"]
	switch action {
	case "GetExternalIPAddress":
		return "<NewExternalIPAddress>" + f.external + "</NewExternalIPAddress>", 0
	case "AddPortMapping":
		f.leases = append(f.leases, args["NewLeaseDuration"])
		if !f.lease && args["NewLeaseDuration"] != "0" {
			return "", upnpOnlyPermanent
		}
		if f.foreign[at] {
			return "", upnpConflict
		}
		f.entries[at] = inside
		return "", 0
	case "AddAnyPortMapping":
		if f.kind != "WANIPConnection:2" {
			return "", upnpInvalidAction
		}
		f.entries[args["NewProtocol"]+" 40000"] = inside
		return "<NewReservedPort>40000</NewReservedPort>", 0
	case "DeletePortMapping":
		if f.entries[at] == "" {
			return "", upnpNoSuchEntry
		}
		delete(f.entries, at)
		delete(f.foreign, at)
		return "", 0
	case "GetSpecificPortMappingEntry":
		e, ok := f.entries[at]
		if !ok {
			return "", upnpNoSuchEntry
		}
		client, port, _ := strings.Cut(e, ":")
		return "<NewInternalPort>" + port + "</NewInternalPort><NewInternalClient>" + client + "</NewInternalClient><NewEnabled>1</NewEnabled>" +
			"<NewPortMappingDescription>b\xfcro</NewPortMappingDescription><NewLeaseDuration>60</NewLeaseDuration>", 0
	case "GetFirewallStatus":
		return "<FirewallEnabled>1</FirewallEnabled><InboundPinholeAllowed>1</InboundPinholeAllowed>", 0
	case "AddPinhole":
		f.next++
		f.pinholes[f.next] = args["InternalClient"] + " " + args["InternalPort"] + " " + args["Protocol"]
		return "<UniqueID>" + strconv.Itoa(f.next) + "</UniqueID>", 0
	case "UpdatePinhole", "GetPinholePackets", "DeletePinhole":
		id, _ := strconv.Atoi(args["UniqueID"])
		if f.pinholes[id] == "" {
			return "", upnpNoSuchPinhole
		}
		if action == "DeletePinhole" {
			delete(f.pinholes, id)
		}
		return "<PinholePackets>3</PinholePackets>", 0
	}
	return "", upnpInvalidAction
}

func (f *fakeIGD) describe() string {
	if f.document != "" {
		return f.document
	}
	service := func(kind, control string) string {
		return "<service><serviceType>urn:schemas-upnp-org:service:" + kind + "</serviceType><serviceId>urn:upnp-org:serviceId:1</serviceId>" +
			"<SCPDURL>/x.xml</SCPDURL><controlURL>" + control + "</controlURL><eventSubURL>/evt</eventSubURL></service>"
	}
	// The manufacturer is Latin-1, as home routers have it, whatever the declaration says.
	return `<?xml version="1.0" encoding="utf-8"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>` + f.base + `
<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>caf` + "\xe9" + `</friendlyName>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<serviceList>` + service(f.kind, f.control) + service("WANIPv6FirewallControl:1", "/ctl/6FC") + `</serviceList></device></deviceList></device></deviceList></device></root>`
}
