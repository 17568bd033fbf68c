package tv

import (
	"fmt"
	"net/http"
	"strings"
)

// Where what is; a service's description, its actions and its events have one path.
const (
	pathDevice      = "/tv.xml"
	pathDirectory   = "/directory"
	pathConnections = "/connections"
)

const (
	typeDevice      = "urn:schemas-upnp-org:device:MediaServer:1"
	typeDirectory   = "urn:schemas-upnp-org:service:ContentDirectory:1"
	typeConnections = "urn:schemas-upnp-org:service:ConnectionManager:1"
)

var serviceAt = map[string]string{pathDirectory: typeDirectory, pathConnections: typeConnections}

// describe is the description of the device (UPnP Device Architecture 1.0, 2.1).
func (s *Server) describe(r *http.Request) string {
	service := func(kind, id, path string) string {
		return fmt.Sprintf(`<service><serviceType>%s</serviceType><serviceId>urn:upnp-org:serviceId:%s</serviceId><SCPDURL>%s</SCPDURL><controlURL>%[3]s</controlURL><eventSubURL>%[3]s</eventSubURL></service>`, kind, id, path)
	}
	return `<?xml version="1.0" encoding="utf-8"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion><device><deviceType>` + typeDevice +
		`</deviceType><friendlyName>` + escaped(s.cfg.Name) + `</friendlyName><manufacturer>relay</manufacturer><modelName>relay</modelName><modelNumber>` + escaped(s.cfg.Agent) +
		`</modelNumber><UDN>` + s.id + `</UDN><dlna:X_DLNADOC xmlns:dlna="urn:schemas-dlna-org:device-1-0">DMS-1.50</dlna:X_DLNADOC><serviceList>` +
		service(typeDirectory, "ContentDirectory", pathDirectory) + service(typeConnections, "ConnectionManager", pathConnections) +
		`</serviceList><presentationURL>` + escaped(s.players(r)) + `/</presentationURL></device></root>`
}

// The services' descriptions (2.3 there). Each action has its arguments behind it: those that come in, a bar, and those
// that go out, each with the variable that says of what kind it is.
var (
	directorySCPD = scpd(
		[]string{
			"Browse ObjectID:ID BrowseFlag:Flag Filter:Text StartingIndex:Number RequestedCount:Number SortCriteria:Text | Result:Text NumberReturned:Number TotalMatches:Number UpdateID:Number",
			"GetSearchCapabilities | SearchCaps:Text", "GetSortCapabilities | SortCaps:Text", "GetSystemUpdateID | Id:SystemUpdateID",
		},
		"ID:string", "Flag:string:BrowseMetadata,BrowseDirectChildren", "Text:string", "Number:ui4", "SystemUpdateID:ui4",
	)
	connectionsSCPD = scpd(
		[]string{
			"GetProtocolInfo | Source:Text Sink:Text", "GetCurrentConnectionIDs | ConnectionIDs:Text",
			"GetCurrentConnectionInfo ConnectionID:Number | RcsID:Number AVTransportID:Number ProtocolInfo:Text PeerConnectionManager:Text PeerConnectionID:Number Direction:Direction Status:Status",
		},
		"Text:string", "Number:i4", "Direction:string:Input,Output", "Status:string:OK,ContentFormatMismatch,InsufficientBandwidth,UnreliableChannel,Unknown",
	)
)

func scpd(actions []string, variables ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<scpd xmlns="urn:schemas-upnp-org:service-1-0"><specVersion><major>1</major><minor>0</minor></specVersion><actionList>`)
	variable := func(name string) string {
		if name == "SystemUpdateID" {
			return name
		}
		return "A_ARG_TYPE_" + name
	}
	for _, a := range actions {
		words := strings.Fields(a)
		fmt.Fprintf(&b, "<action><name>%s</name><argumentList>", words[0])
		direction := "in"
		for _, w := range words[1:] {
			name, of, ok := strings.Cut(w, ":")
			if !ok {
				direction = "out"
				continue
			}
			fmt.Fprintf(&b, "<argument><name>%s</name><direction>%s</direction><relatedStateVariable>%s</relatedStateVariable></argument>", name, direction, variable(of))
		}
		b.WriteString("</argumentList></action>")
	}
	b.WriteString("</actionList><serviceStateTable>")
	for _, v := range variables {
		name, kind, _ := strings.Cut(v, ":")
		kind, values, _ := strings.Cut(kind, ":")
		fmt.Fprintf(&b, `<stateVariable sendEvents="no"><name>%s</name><dataType>%s</dataType>`, variable(name), kind)
		if values != "" {
			b.WriteString("<allowedValueList><allowedValue>" + strings.ReplaceAll(values, ",", "</allowedValue><allowedValue>") + "</allowedValue></allowedValueList>")
		}
		b.WriteString("</stateVariable>")
	}
	b.WriteString("</serviceStateTable></scpd>")
	return b.String()
}
