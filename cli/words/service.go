package words

import (
	"fmt"
	"time"
)

// What `relay service` says.
const (
	ServiceWrote          = "Wrote   %s"
	ServiceTask           = "Made    the task %s of the Task Scheduler"
	ServiceRuns           = "Runs    %s"
	ServiceStartedAtBoot  = "Started; it starts again with the machine."
	ServiceStartedAtLogin = "Started; it starts again when you log in."
	ServiceNext           = "Next    relay service status; %s shows its log"
	ServiceRemoved        = "Stopped and removed %s. Keys and settings stay where they are."
	ServiceLinger         = "it ends when you log out; to have it run without you: loginctl enable-linger"

	ServiceNotInstalled  = "relay is no service of yours on this machine"
	ServiceInstallHint   = "relay service install LINK makes it one"
	ServiceChanged       = "%s is not as relay has written it: somebody has changed it, or written it"
	ServiceForce         = "look at it first; --force replaces or removes it all the same"
	ServiceFailed        = "%s: %s"
	ServiceNone          = "relay does not know how services are started on %s"
	ServiceByHand        = "have whatever starts programs here run: relay serve LINK"
	ServiceNoSystemd     = "there is no systemd on this machine: systemctl was not found"
	ServiceNoProgram     = "%s was not found"
	ServiceNoSessionHint = "log in as the user itself, not by su or sudo, and say it again; for the whole machine there is the system's own service: systemctl enable --now relay, with links in /etc/relay/channels"
	ServiceNoScreenHint  = "log in at the screen of this machine once, and say it again there"
	ServiceSudo          = "this would be a service of the wrong user"
	ServiceSudoHint      = "say it without sudo"
	ServiceSystemHint    = "say it without sudo, for a service of yours; for the whole machine there is the system's own: systemctl enable --now relay, with links in /etc/relay/channels"
	ServiceTemporary     = "this program is gone when go run ends"
	ServiceTemporaryHint = "go install relay/cli/relay, or make build, and say it with that program"
	ServiceSecret        = "%s has a secret, which would stay in the service's file"
	ServiceSecretHint    = "put it into a file that only you can read, and give %s @FILE"
	ServiceVariables     = "%s is set here, and the service will not see it"
	ServiceVariablesHint = "give it as a flag, or in config.toml"
	ServiceActions       = "relay service install LINK..., relay service remove or relay service status"
	ServiceNoAction      = "relay service has to be told what to do"
	ServiceUnknown       = "relay service knows no %q"
	ServiceNotRunning    = "the service does not run"
	ServiceLog           = "the log %s cannot be kept"
)

// ServiceState is what there is to say of a service.
type ServiceState struct {
	Installed bool      `json:"installed"`
	Running   bool      `json:"running"`
	Since     time.Time `json:"since,omitzero"` // of Running, or of its end; zero if the system does not tell
	Process   int       `json:"process,omitempty"`
	Boot      bool      `json:"at_boot"`             // it starts with the machine or the user's login
	Trouble   string    `json:"trouble,omitempty"`   // why it does not run, in the system's words
	File      string    `json:"file,omitempty"`      // what says what is run
	Log       string    `json:"log,omitempty"`       // the command that shows its log, or the log's file
	Lines     []string  `json:"log_lines,omitempty"` // the newest of the log
}

// ServiceStatus says in lines how the service is.
func ServiceStatus(s ServiceState, now time.Time) []string {
	var lines []string
	switch {
	case !s.Installed:
		return []string{ServiceNotInstalled + "; " + ServiceInstallHint}
	case s.Running && s.Since.IsZero():
		lines = append(lines, fmt.Sprintf("Runs    process %d", s.Process))
	case s.Running:
		lines = append(lines, fmt.Sprintf("Runs    since %s (%s), process %d", s.Since.Local().Format(time.DateTime), ago(now.Sub(s.Since)), s.Process))
	case s.Trouble != "":
		lines = append(lines, "Stopped "+s.Trouble)
	default:
		lines = append(lines, "Stopped")
	}
	if s.Boot {
		lines = append(lines, "Starts  by itself")
	} else {
		lines = append(lines, "Starts  only when told to")
	}
	if s.File != "" {
		lines = append(lines, "File    "+s.File)
	}
	if s.Log != "" {
		lines = append(lines, "Log     "+s.Log)
	}
	for _, l := range s.Lines {
		lines = append(lines, "  "+l)
	}
	return lines
}

// ago is how long something has lasted, as exactly as anybody wants to know.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
