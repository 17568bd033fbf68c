package service

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Task returns what the Task Scheduler reads (its schema 1.2). Unless they are told otherwise, tasks end
// after three days and whenever a laptop is unplugged.
func Task(w What) string {
	args := make([]string, 0, len(w.Args))
	for _, a := range w.Args {
		args = append(args, quotedForWindows(a))
	}
	folder := ""
	if w.Folder != "" {
		folder = "\r\n      <WorkingDirectory>" + escaped(w.Folder) + "</WorkingDirectory>"
	}
	command := "<Command>" + escaped(w.Program) + "</Command>\n      <Arguments>" + escaped(strings.Join(args, " ")) + "</Arguments>"
	return strings.ReplaceAll(`<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Source>`+marker+taskSum(w.Program, strings.Join(args, " "))+`</Source>
    <Description>relay: passes live video channels on</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>%USER%</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>%USER%</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      `+command+folder+`
    </Exec>
  </Actions>
</Task>
`, "\n", "\r\n")
}

// taskSum is the sum of what a task runs. The scheduler writes the rest of it in its own way.
func taskSum(program, args string) string { return sumOf(program + "\n" + args) }

// utf16File returns a text as schtasks reads it from a file: UTF-16, little end first, with a mark of that.
func utf16File(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// quotedForWindows returns an argument as programs on Windows read it (CommandLineToArgvW).
func quotedForWindows(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " \t\n\v\"") {
		return arg
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, c := range arg {
		switch c {
		case '\\':
			slashes++
			continue
		case '"': // those before it, and itself, are written with one more each
			b.WriteString(strings.Repeat(`\`, 2*slashes+1))
		default:
			b.WriteString(strings.Repeat(`\`, slashes))
		}
		slashes = 0
		b.WriteRune(c)
	}
	b.WriteString(strings.Repeat(`\`, 2*slashes) + `"`)
	return b.String()
}
