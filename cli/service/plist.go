package service

import (
	"encoding/xml"
	"strings"
)

// label is the service's name for launchd.
const label = "relay.serve"

// Plist returns what launchd reads (launchd.plist(5)).
func Plist(w What) string {
	var b strings.Builder
	for _, a := range append([]string{w.Program}, w.Args...) {
		b.WriteString("\t\t<string>" + escaped(a) + "</string>\n")
	}
	folder := ""
	if w.Folder != "" {
		folder = "\t<key>WorkingDirectory</key>\n\t<string>" + escaped(w.Folder) + "</string>\n"
	}
	return marked(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- %MARK% -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>` + label + `</string>
	<key>ProgramArguments</key>
	<array>
` + b.String() + `	</array>
` + folder + `	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ThrottleInterval</key>
	<integer>10</integer>
	<key>ExitTimeOut</key>
	<integer>15</integer>
	<key>SoftResourceLimits</key>
	<dict>
		<key>NumberOfFiles</key>
		<integer>10240</integer>
	</dict>
	<key>Umask</key>
	<integer>63</integer>
</dict>
</plist>
`)
}

// escaped returns a text as XML has it.
func escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) // into memory, which does not fail
	return b.String()
}
