package flag

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/BurntSushi/toml"
	"github.com/urfave/cli/v2"

	"relay/cli/fault"
)

const (
	// configFile is the file with defaults for flags, in the folder of --config.
	configFile = "config.toml"
	// configMost bounds the file, in bytes: a hundred times what all flags take.
	configMost = 64 << 10
)

// config is what config.toml says. Keys are names of flags, and a table named after a command
// applies to that command alone.
type config struct {
	path   string
	text   string
	common map[string]any
	tables map[string]map[string]any
}

// Configured makes a command take from config.toml what its command line and the environment
// leave open. commands are all commands of the program.
func Configured(action cli.ActionFunc, commands []*cli.Command) cli.ActionFunc {
	return func(c *cli.Context) error {
		dir := ""
		if hasFlag(c.Command, "config") {
			dir = c.String("config")
		}
		conf, err := readConfig(dir)
		if err != nil {
			return err
		}
		if err := conf.check(commands); err != nil {
			return err
		}
		if err := conf.apply(c); err != nil {
			return err
		}
		return action(c)
	}
}

// readConfig reads the file in the folder, or in the user's own folder if dir is empty. A
// missing file counts as an empty one.
func readConfig(dir string) (*config, error) {
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return &config{}, nil
		}
		dir = filepath.Join(base, "relay")
	}
	conf := &config{path: filepath.Join(dir, configFile)}
	f, err := os.Open(conf.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return conf, nil
	}
	if err != nil {
		return nil, fault.Fail("make it readable for you, or move it away", "%s: %w", conf.path, bareFile(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, configMost+1))
	if err != nil {
		return nil, fault.Fail("make it readable for you, or move it away", "%s: %w", conf.path, bareFile(err))
	}
	if len(b) > configMost {
		return nil, fault.Usage("it holds a line for each flag at most", "%s is longer than %d bytes", conf.path, configMost)
	}
	conf.text = string(b)
	return conf, conf.parse()
}

func bareFile(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func (conf *config) parse() error {
	all := make(map[string]any)
	if _, err := toml.Decode(conf.text, &all); err != nil {
		var p toml.ParseError
		if errors.As(err, &p) {
			return fault.Usage(`a line is: flag-name = value, with text in quotes, as in upload = "20M"`, "%s, line %d: %s", conf.path, p.Position.Line, p.Message)
		}
		return fault.Usage("", "%s: %w", conf.path, err)
	}
	conf.common, conf.tables = make(map[string]any), make(map[string]map[string]any)
	for name, v := range all {
		if table, ok := v.(map[string]any); ok {
			conf.tables[name] = table
		} else {
			conf.common[name] = v
		}
	}
	return nil
}

// check returns an error for the first thing in the file that no command understands.
func (conf *config) check(commands []*cli.Command) error {
	var wrong []*mistake
	var every []cli.Flag
	for _, c := range commands {
		every = append(every, c.Flags...)
	}
	for key, v := range conf.common {
		wrong = append(wrong, conf.checkKey("", key, v, every))
	}
	for name, table := range conf.tables {
		at := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.Name == name && len(c.Flags) > 0 })
		if at < 0 {
			wrong = append(wrong, conf.noTable(name, commands))
			continue
		}
		for key, v := range table {
			m := conf.checkKey(name, key, v, commands[at].Flags)
			if owner := ownerOf(key, commands); m != nil && !hasFlag(commands[at], key) && owner != "" {
				m.hint = "relay " + owner + " has it; put it into the table [" + owner + "]"
			}
			wrong = append(wrong, m)
		}
	}
	wrong = slices.DeleteFunc(wrong, func(m *mistake) bool { return m == nil })
	if len(wrong) == 0 {
		return nil
	}
	first := slices.MinFunc(wrong, func(a, b *mistake) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.text, b.text)
	})
	where := conf.path
	if first.line != math.MaxInt {
		where += ", line " + strconv.Itoa(first.line)
	}
	return fault.Usage(first.hint, "%s: %s", where, first.text)
}

// mistake is a mistake in the file.
type mistake struct {
	line       int // math.MaxInt if it was not found
	text, hint string
}

func (conf *config) noTable(name string, commands []*cli.Command) *mistake {
	m := &mistake{conf.line(name, ""), fmt.Sprintf("there is no command for the table [%s]", name), "tables are named after commands, as [source] and [watch]"}
	var names []string
	for _, c := range commands {
		if len(c.Flags) > 0 {
			names = append(names, c.Name)
		}
	}
	if near := fault.Nearest(name, names); near != "" {
		m.hint = "did you mean [" + near + "]?"
	}
	return m
}

func (conf *config) checkKey(table, key string, v any, flags []cli.Flag) *mistake {
	line := conf.line(table, key)
	f := flagNamed(flags, key)
	if f == nil || key == "config" || key == "help" {
		m := &mistake{line, fmt.Sprintf("there is no flag %q to set", key), "keys are names of flags without dashes in front; relay help COMMAND lists them"}
		if table != "" {
			m.text = fmt.Sprintf("relay %s has no flag %q to set", table, key)
			m.hint = "relay help " + table + " lists the flags"
		}
		if key == "config" {
			m.text, m.hint = "the folder of this file cannot be set in it", "RELAY_CONFIG sets it, or --config on the command line"
		} else if near := fault.Nearest(key, namesOf(flags)); near != "" {
			m.hint = "did you mean " + near + "?"
		}
		return m
	}
	if _, want := valuesOf(f, v); want != "" {
		return &mistake{line, fmt.Sprintf("%s is %s, and has to be %s", key, kindOf(v), want), "as in " + key + " = " + exampleOf(f)}
	}
	return nil
}

// apply sets those flags of the command that nothing else has set.
func (conf *config) apply(c *cli.Context) error {
	set := func(table, key string, v any) error {
		f := flagNamed(c.Command.Flags, key)
		if f == nil || c.IsSet(f.Names()[0]) {
			return nil
		}
		texts, _ := valuesOf(f, v)
		c.App.Metadata[configured+f.Names()[0]] = true
		for _, s := range texts {
			if err := c.Set(f.Names()[0], s); err != nil {
				where := conf.path
				if line := conf.line(table, key); line != math.MaxInt {
					where += ", line " + strconv.Itoa(line)
				}
				return fault.Usage("relay help "+c.Command.Name, "%s: %s = %q: %w", where, key, s, err)
			}
		}
		return nil
	}
	for key, v := range conf.tables[c.Command.Name] {
		if err := set(c.Command.Name, key, v); err != nil {
			return err
		}
	}
	for key, v := range conf.common {
		if err := set("", key, v); err != nil {
			return err
		}
	}
	return nil
}

// configured is in front of the names of flags that config.toml has set, in the application's metadata.
const configured = configFile + " "

// typed reports whether a flag is on the command line, instead of in the environment or config.toml,
// which may hold it for another command.
func typed(c *cli.Context, name string) bool {
	if !c.IsSet(name) || c.App.Metadata[configured+name] != nil {
		return false
	}
	variable, ok := os.LookupEnv(Env(name)[0])
	return !ok || variable != c.String(name)
}

// valuesOf turns a value into what the flag takes on the command line: several values for a
// flag that may be repeated. If the value has the wrong type, want names the right one.
func valuesOf(f cli.Flag, v any) (texts []string, want string) {
	switch f.(type) {
	case *cli.BoolFlag:
		if b, ok := v.(bool); ok {
			return []string{strconv.FormatBool(b)}, ""
		}
		return nil, "true or false"
	case *cli.IntFlag:
		if n, ok := v.(int64); ok {
			return []string{strconv.FormatInt(n, 10)}, ""
		}
		return nil, "a whole number"
	case *cli.StringSliceFlag:
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			s, ok := e.(string)
			if !ok {
				return nil, "text in quotes, or a list of those"
			}
			texts = append(texts, s)
		}
		return texts, ""
	}
	switch v := v.(type) {
	case string:
		return []string{v}, ""
	case int64: // a port
		return []string{strconv.FormatInt(v, 10)}, ""
	}
	return nil, "text in quotes"
}

func kindOf(v any) string {
	switch v.(type) {
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date"
}

func exampleOf(f cli.Flag) string {
	switch f.(type) {
	case *cli.BoolFlag:
		return "true"
	case *cli.IntFlag:
		return "3"
	case *cli.StringSliceFlag:
		return `["one", "two"]`
	}
	if f.Names()[0] == "upload" || f.Names()[0] == "max-rate" {
		return `"20M"`
	}
	return `"text"`
}

func hasFlag(c *cli.Command, name string) bool { return flagNamed(c.Flags, name) != nil }

// ownerOf names a command that has the flag, "" if there is none.
func ownerOf(flag string, commands []*cli.Command) string {
	for _, c := range commands {
		if flag != "help" && flag != "config" && hasFlag(c, flag) {
			return c.Name
		}
	}
	return ""
}

func flagNamed(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func namesOf(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		if n := f.Names()[0]; n != "config" && n != "help" {
			names = append(names, n)
		}
	}
	return names
}

var (
	tableLine = regexp.MustCompile(`^\s*\[\s*"?([^\]"]*?)"?\s*\]`)
	keyLine   = regexp.MustCompile(`^\s*"?([A-Za-z0-9_.-]+)"?\s*=`)
)

// line returns the number of the line that holds a key of a table, or the table itself if the
// key is empty; math.MaxInt if there is no such line. The parser does not tell. Text that spans
// lines may mislead this search, and then the number is wrong.
func (conf *config) line(table, key string) int {
	in := ""
	for i, l := range strings.Split(conf.text, "\n") {
		if m := tableLine.FindStringSubmatch(l); m != nil {
			if in = m[1]; in == table && key == "" {
				return i + 1
			}
			continue
		}
		m := keyLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		name := m[1]
		if in != "" {
			name = in + "." + name
		}
		if whole := table + "." + key; name == whole || table == "" && name == key || key == "" && strings.HasPrefix(name, whole) {
			return i + 1
		}
	}
	return math.MaxInt
}
