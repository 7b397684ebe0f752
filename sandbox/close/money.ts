export type ValuePeriod = 'one_time' | 'monthly' | 'annual';
export const VALUE_PERIODS: readonly ValuePeriod[] = ['one_time', 'monthly', 'annual'];

const SYMBOLS: Record<string, string> = { EUR: '€', USD: '$', GBP: '£', JPY: '¥' };
const PERIOD_WORDS: Record<ValuePeriod, string> = { one_time: '', monthly: ' monthly', annual: ' annually' };
/** Before every group of three digits; quicker than Intl.NumberFormat, and every shown record needs it. */
const GROUP_BREAK = /\B(?=(\d{3})+$)/g;

/** "€1,250", "€1,250.50", "$5 monthly": hundredths are shown only where there are any. */
export function formatValue(value: number, currency: string, period: ValuePeriod): string {
  const cents = Math.abs(value % 100);
  const whole = String(Math.trunc(Math.abs(value) / 100)).replace(GROUP_BREAK, ',');
  const amount = cents === 0 ? whole : `${whole}.${String(cents).padStart(2, '0')}`;
  return `${value < 0 ? '-' : ''}${SYMBOLS[currency] ?? `${currency} `}${amount}${PERIOD_WORDS[period]}`;
}

/** A monthly value counts twelve times a year; one-time and annual values count once. */
export function annualize(value: number, period: ValuePeriod): number {
  return period === 'monthly' ? value * 12 : value;
}

export function expected(value: number, confidence: number): number {
  return Math.round((value * confidence) / 100);
}
