import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/**
 * Paths whose values never reach a log line. Request headers are not listed because they are never logged whole:
 * what is logged of a request is named field by field.
 */
export const REDACTED_PATHS = [
  'credentials',
  '*.credentials',
  'authorization',
  '*.authorization',
  'headers.authorization',
  '*.headers.authorization',
  'access_token',
  '*.access_token',
  'refresh_token',
  '*.refresh_token',
  'client_secret',
  '*.client_secret',
  'api_key',
  '*.api_key',
  'token',
  '*.token',
  'private_key',
  '*.private_key',
  'secret',
  '*.secret',
  'password',
  '*.password',
];

/** One base logger per process; pass children down. Message = stable event name, facts = fields. */
export function createLogger(process: string, level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { process },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: pino.stdSerializers.err },
    },
    destination ?? pino.destination({ dest: 1, sync: false, minLength: 0 }),
  );
}

/** A logger, or one whose lines all carry the same fields. */
export type Lines = {
  [level in 'debug' | 'info' | 'warn' | 'error']: (facts: object, message: string) => void;
};

/** As `logger.child(fields)`, for what lives shorter than a few lines: making a child costs more than they do. */
export function linesWith(logger: Logger, fields: object): Lines {
  return {
    debug: (facts, message) => logger.debug({ ...fields, ...facts }, message),
    info: (facts, message) => logger.info({ ...fields, ...facts }, message),
    warn: (facts, message) => logger.warn({ ...fields, ...facts }, message),
    error: (facts, message) => logger.error({ ...fields, ...facts }, message),
  };
}
