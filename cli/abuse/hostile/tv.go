package hostile

import (
	"fmt"
	"strings"
)

// soap is a call to the directory for TVs (playback/tv), with further lines of its head.
func soap(body string, lines ...string) []byte {
	head := request("POST /directory HTTP/1.1", append([]string{"Host: 127.0.0.1", fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close"}, lines...)...)
	return cat(head, body)
}

// browse is a call that lists what is in an object.
func browse(object, more string) string {
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:Browse xmlns:u="urn:schemas-upnp-org:service:ContentDirectory:1"><ObjectID>` +
		object + `</ObjectID><BrowseFlag>BrowseDirectChildren</BrowseFlag>` + more + `</u:Browse></s:Body></s:Envelope>`
}

// tvTable is what strangers send to the port at which TVs read what there is.
func tvTable() Table {
	t := Table{Port: TV}
	says := func(code int, name string, b []byte) {
		t.Inputs = append(t.Inputs, Input{name, b, Answered, fmt.Sprintf("HTTP/1.1 %d", code)})
	}
	says(200, "an honest list", soap(browse("0", "")))
	says(200, "a list of 2^32-1 from 2^32-1", soap(browse("0", "<StartingIndex>4294967295</StartingIndex><RequestedCount>4294967295</RequestedCount>")))
	says(200, "a subscription for somebody else (CVE-2020-12695)", request("SUBSCRIBE /directory HTTP/1.1", "Host: 127.0.0.1", "CALLBACK: <http://198.51.100.1:80/>", "NT: upnp:event", "TIMEOUT: Second-infinite", "Connection: close"))
	says(200, "the renewal of none", request("SUBSCRIBE /directory HTTP/1.1", "Host: 127.0.0.1", "SID: uuid:"+strings.Repeat("x", 5000), "Connection: close"))
	says(500, "an object that there is not", soap(browse("../../etc/passwd", "")))
	says(500, "an object of markup", soap(browse("&lt;x&gt;&amp;\"'", "")))
	says(500, "a count of -1", soap(browse("0", "<RequestedCount>-1</RequestedCount>")))
	says(500, "an action that there is not", soap(strings.ReplaceAll(browse("0", ""), "u:Browse", "u:DestroyObject")))
	says(400, "no body", soap(""))
	says(400, "half a call", soap(browse("0", "")[:150]))
	says(400, "entities that a thousand others are in", soap(`<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>`+browse("&c;", "")))
	says(400, "an entity of a file", soap(`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>`+browse("&a;", "")))
	says(400, "an entity of nothing", soap(browse("&a;", "")))
	says(400, "a number for a character of none", soap(browse("&#0;", "")))
	says(400, "4,000 elements in each other", soap(strings.Repeat("<a>", 4000)))
	says(400, "5 elements in each other", soap(browse("<a><b/></a>", "")))
	says(400, "1,000 arguments", soap(browse("0", strings.Repeat("<a/>", 1000))))
	says(400, "an argument of 8 KiB", soap(browse(strings.Repeat("0", 8<<10), "")))
	says(400, "attributes without end", soap("<Envelope "+strings.Repeat(`a="b" `, 2000)))
	says(400, "bytes that are no UTF-8", soap(browse("\xff\xfe", "")))
	says(400, "UTF-16", soap(`<?xml version="1.0" encoding="utf-16"?>`+browse("0", "")))
	says(400, "two calls in one", soap(strings.Replace(browse("0", ""), "</s:Body>", "<x/></s:Body>", 1)))
	says(413, "17 KiB", soap(browse("0", strings.Repeat(" ", 17<<10))))
	says(413, "a body of 1 GB announced", cat(request("POST /directory HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 1073741824"), browse("0", "")))
	says(413, "chunks beyond 16 KiB", cat(request("POST /directory HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding: chunked"), strings.Repeat("1000\r\n"+strings.Repeat(" ", 0x1000)+"\r\n", 5)))
	says(403, "a page of another site", soap(browse("0", ""), "Origin: https://example.org"))
	says(403, "a name that leads here", request("GET /tv.xml HTTP/1.1", "Host: example.org", "Connection: close"))
	says(403, "a proxy", request("GET /tv.xml HTTP/1.1", "Host: 127.0.0.1", "X-Forwarded-For: 127.0.0.1", "Connection: close"))
	says(405, "a method of none", request("PROPFIND /directory HTTP/1.1", "Host: 127.0.0.1", "Connection: close"))
	says(404, "another path", request("GET /../../etc/passwd HTTP/1.1", "Host: 127.0.0.1", "Connection: close"))
	says(404, "a call to nobody", cat(request("POST /tv.xml HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 0", "Connection: close")))
	t.Inputs = append(t.Inputs,
		Input{Name: "a body that does not come", Bytes: request("POST /directory HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 500"), Want: Refused},
		Input{Name: "chunks that stop", Bytes: cat(request("POST /directory HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding: chunked"), "5\r\n<s:En\r\n"), Want: Refused},
		Input{Name: "half a head", Bytes: []byte("POST /directory HTTP/1.1\r\nHost: 127"), Want: Ended},
	)
	return t
}

// Search is an honest question who is there, which is answered within no time.
func Search() []byte { return []byte(msearch + discover + "MX: 0\r\nST: upnp:rootdevice\r\n\r\n") }

// Searches are questions of a flood: as many answers as there are, at once and as late as can be, and what is none.
func Searches() (all [][]byte) {
	for _, more := range [...]string{
		discover + "MX: 0\r\nST: ssdp:all\r\n\r\n",
		discover + "MX: 120\r\nST: ssdp:all\r\n\r\n",
		discover + "MX: 0\r\nST: urn:schemas-upnp-org:service:ContentDirectory:1\r\n\r\n",
		discover + "MX: 0\r\nST: " + strings.Repeat("x", 8<<10) + "\r\n\r\n",
		strings.Repeat("X: y\r\n", 100) + discover + "ST: ssdp:all\r\n\r\n",
	} {
		all = append(all, []byte(msearch+more))
	}
	return append(all, rep(0xa5, 500))
}

const (
	msearch  = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
	discover = "MAN: \"ssdp:discover\"\r\n"
)

// ssdpTable is what strangers on the network send to the port at which TVs look for servers.
func ssdpTable() Table {
	t := Table{Port: SSDP, Inputs: []Input{{"an honest search", Search(), Answered, "HTTP/1.1 200 OK"}}}
	drop := func(want Want, all ...[2]string) {
		for _, in := range all {
			t.Inputs = append(t.Inputs, Input{Name: in[0], Bytes: []byte(in[1]), Want: want})
		}
	}
	drop(Dropped, [][2]string{
		{"no byte", ""},
		{"zeros", strings.Repeat("\x00", 500)},
		{"a search without what it looks for", msearch + discover + "MX: 0\r\n\r\n"},
		{"a search that is none", msearch + "MX: 0\r\nST: ssdp:all\r\n\r\n"},
		{"a search without its end", msearch + discover + "ST: "},
		{"a wait of -1 s", msearch + discover + "MX: -1\r\nST: ssdp:all\r\n\r\n"},
		{"a wait of 10^30 s", msearch + discover + "MX: 1" + strings.Repeat("0", 30) + "\r\nST: ssdp:all\r\n\r\n"},
		{"a search of 40 lines", msearch + strings.Repeat("X: y\r\n", 40) + discover + "ST: ssdp:all\r\n\r\n"},
		{"a search of 60,000 bytes", msearch + discover + "ST: " + strings.Repeat("x", 60_000) + "\r\n\r\n"},
		{"HTTP/1.0", strings.Replace(msearch, "1.1", "1.0", 1) + discover + "ST: ssdp:all\r\n\r\n"},
		{"DNS", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x10\x00\x01"},
	}...)
	drop(Ignored, [][2]string{
		{"a search for a printer", msearch + discover + "MX: 0\r\nST: urn:schemas-upnp-org:device:Printer:1\r\n\r\n"},
		{"an answer, unasked", "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: http://198.51.100.1/\r\n\r\n"},
		{"news of another server", "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\nLOCATION: http://198.51.100.1/\r\n\r\n"},
	}...)
	return t
}
