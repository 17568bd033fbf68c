package tv

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// call is an action that a TV asks for (UPnP Device Architecture 1.0, 3.2.1).
type call struct {
	name string
	args map[string]string
}

const (
	maxTokens = 256  // of a call; Browse has 40
	maxArg    = 1024 // bytes of an argument
)

var errCall = errors.New("no call")

// parseCall reads one: Envelope, Body, the action, and its arguments without anything in them. Namespaces are left
// alone, as TVs get them wrong. Nothing is expanded, and what is deeper or longer than that is refused.
func parseCall(b []byte) (c call, err error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var path []string
	var arg strings.Builder
	c.args = make(map[string]string)
	for range maxTokens {
		t, err := d.Token()
		if err != nil {
			return c, errCall // also where it ends early
		}
		switch t := t.(type) {
		case xml.Directive:
			return c, errCall // a document type, with which entities come
		case xml.StartElement:
			path = append(path, t.Name.Local)
			arg.Reset()
			switch {
			case len(path) > 4 || path[0] != "Envelope":
				return c, errCall
			case len(path) == 3 && path[1] == "Body":
				if c.name != "" {
					return c, errCall
				}
				c.name = path[2]
			}
		case xml.CharData:
			if len(path) == 4 {
				arg.Write(t)
			}
			if arg.Len() > maxArg {
				return c, errCall
			}
		case xml.EndElement:
			if len(path) == 4 && path[1] == "Body" {
				c.args[path[3]] = strings.TrimSpace(arg.String())
			}
			if path = path[:len(path)-1]; len(path) == 0 {
				if c.name == "" {
					return c, errCall
				}
				return c, nil
			}
		}
	}
	return c, errCall
}

// action does what a call asks for: the names and values that it answers, or a fault.
type action func(*http.Request, call) ([][2]string, *soapFault)

// soapFault is an error of UPnP's (3.2.2 there; ContentDirectory:1, 2.7.15).
type soapFault struct {
	code int
	says string
}

var (
	faultAction = &soapFault{401, "Invalid Action"}
	faultArgs   = &soapFault{402, "Invalid Args"}
	faultObject = &soapFault{701, "No Such Object"}
	faultConn   = &soapFault{706, "Invalid connection reference"}
)

const envelope = `<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>%s</s:Body></s:Envelope>`

func (f *soapFault) text() string {
	return fmt.Sprintf(envelope, fmt.Sprintf(`<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>`+
		`<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode><errorDescription>%s</errorDescription></UPnPError></detail></s:Fault>`, f.code, f.says))
}

// answer is what a call to the service at path gets. name is one that the service has.
func answer(path, name string, out [][2]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<u:%sResponse xmlns:u="%s">`, name, serviceAt[path])
	for _, v := range out {
		fmt.Fprintf(&b, "<%s>%s</%s>", v[0], escaped(v[1]), v[0])
	}
	fmt.Fprintf(&b, "</u:%sResponse>", name)
	return fmt.Sprintf(envelope, b.String())
}

// escaped is text as it stands in XML. What XML has no place for becomes U+FFFD.
func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes all
	return b.String()
}
