import { describe, expect, it } from 'vitest';
import { parseCommand } from './options.ts';

const defaults = {
  port: 12434,
  host: '127.0.0.1',
  browser: 'open',
  model: undefined,
  relayAllow: [],
  origins: [],
};

function optionsOf(args: string[], environment: Record<string, string> = {}) {
  const command = parseCommand(args, environment);
  return command.kind === 'start' ? command.options : command;
}

describe('the command line', () => {
  it('starts on 127.0.0.1:12434 with nothing said', () => {
    expect(optionsOf([])).toEqual(defaults);
  });

  it('takes port, host and --no-open, with = or a space', () => {
    expect(optionsOf(['--port', '8080', '--host=0.0.0.0', '--no-open'])).toEqual({
      ...defaults,
      port: 8080,
      host: '0.0.0.0',
      browser: 'leave',
    });
  });

  it('lets a flag win over its variable', () => {
    expect(optionsOf([], { SAMPAN_PORT: '9000' })).toMatchObject({ port: 9000 });
    expect(optionsOf(['--port', '9001'], { SAMPAN_PORT: '9000' })).toMatchObject({ port: 9001 });
    expect(optionsOf([], { SAMPAN_PORT: '' })).toMatchObject({ port: 12434 });
  });

  it('adds up relay hosts from repeated flags, comma lists and the variable', () => {
    const args = ['--relay-allow', 'localhost:5000,registry.lan:80', '--relay-allow', '[::1]:5000'];
    expect(optionsOf(args, { SAMPAN_RELAY_ALLOW: ' 10.0.0.2:5000, ' })).toMatchObject({
      relayAllow: ['localhost:5000', 'registry.lan:80', '[::1]:5000', '10.0.0.2:5000'],
    });
  });

  it('runs without a window when a flag or the variable says so', () => {
    expect(optionsOf(['--headless', '--model', 'ai/smollm2'])).toMatchObject({
      browser: 'headless',
      model: 'ai/smollm2',
    });
    expect(optionsOf([], { SAMPAN_HEADLESS: '1' })).toMatchObject({ browser: 'headless' });
    for (const off of ['', '0', 'false']) {
      expect(optionsOf([], { SAMPAN_HEADLESS: off })).toMatchObject({ browser: 'open' });
    }
  });

  it('adds up origins, Docker Model Runner’s variable among them', () => {
    const environment = { SAMPAN_ORIGINS: 'http://localhost:*', DMR_ORIGINS: 'http://c.example, *' };
    expect(optionsOf(['--origin', 'http://a.example,http://b.example'], environment)).toMatchObject({
      origins: ['http://a.example', 'http://b.example', 'http://localhost:*', 'http://c.example', '*'],
    });
  });

  it('asks for help', () => {
    expect(parseCommand(['--help', '--port', '1'], {})).toEqual({ kind: 'help' });
  });

  it.each([
    [['--prot', '80'], 'Sampan does not know the option --prot.'],
    [['-x'], 'Sampan does not know the option -x.'],
    [['serve'], 'Sampan takes no argument “serve”.'],
    [['--port'], 'The option --port needs a value.'],
    [['--port', '--no-open'], 'The option --port needs a value.'],
    [['--port', 'http'], 'The port must be a number from 0 to 65535.'],
    [['--port', '65536'], 'The port must be a number from 0 to 65535.'],
    [['--model', 'ai/smollm2'], 'The option --model needs --headless.'],
    [['--origin', 'localhost:3000'], '--origin: “localhost:3000” is no origin.'],
    [['--origin', 'http://a.example/path'], '--origin: “http://a.example/path” is no origin.'],
    [['--no-open=yes'], 'The option --no-open takes no value.'],
    [
      ['--relay-allow', 'localhost'],
      '--relay-allow: “localhost” is no host and port. Write it like localhost:5000.',
    ],
    [['--relay-allow', 'user@localhost:1'], '--relay-allow: The relay path needs a host name'],
  ])('refuses %j by name', (args, message) => {
    const command = parseCommand(args, {});
    expect(command).toMatchObject({ kind: 'refused' });
    expect(command).toHaveProperty('message', expect.stringContaining(message));
  });
});
