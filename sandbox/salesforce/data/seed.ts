import { makeId } from '../ids.ts';
import { currencies } from '../schema/org.ts';
import { stages } from '../schema/stages.ts';
import type { FieldValues } from './table.ts';

type Add = (object: string, number: number, values: FieldValues) => string;

/** Who owns what a demo token creates. */
export const integrationUserId = makeId('005', 1);
export const organizationId = makeId('00D', 1);

// Seeded records are older than anything a test may look for, and the same in every run.
const seededAtMs = Date.UTC(2024, 0, 15, 9, 30);

const accounts = ['Acme Corporation', 'Globex', 'Initech', 'Umbrella Health', 'Stark Industries'];
const contacts = [
  ['Ada', 'Lovelace'],
  ['Grace', 'Hopper'],
  ['Alan', 'Turing'],
  ['Katherine', 'Johnson'],
  ['Linus', 'Pauling'],
  ['Mary', 'Jackson'],
] as const;
const users = [
  ['Integration', 'User', true],
  ['Sam', 'Seller', true],
  ['Riley', 'Rep', true],
  ['Ivy', 'Inactive', false],
] as const;

/** Fills an empty store: the same ids and values every time. */
export function seed(add: Add, nowMs: number): void {
  const stamps = auditStamps(Math.min(seededAtMs, nowMs), integrationUserId);
  for (const [index, [FirstName, LastName, IsActive]] of users.entries()) {
    add('User', index + 1, { ...userValues(FirstName, LastName, IsActive), ...stamps });
  }
  for (const [index, Name] of accounts.entries()) {
    const External_Key__c = `ACC-${index + 1}`;
    add('Account', index + 1, {
      Name,
      OwnerId: integrationUserId,
      IsDeleted: false,
      External_Key__c,
      ...stamps,
    });
  }
  for (const [index, [FirstName, LastName]] of contacts.entries()) {
    add('Contact', index + 1, {
      FirstName,
      LastName,
      Name: `${FirstName} ${LastName}`,
      Email: `${FirstName}.${LastName}@example.com`.toLowerCase(),
      AccountId: makeId('001', (index % accounts.length) + 1),
      OwnerId: integrationUserId,
      IsDeleted: false,
      External_Key__c: `CON-${index + 1}`,
      ...stamps,
    });
  }
  for (const [index, stage] of stages.entries()) {
    add('OpportunityStage', index + 1, {
      MasterLabel: stage.name,
      ApiName: stage.name,
      IsActive: true,
      SortOrder: index + 1,
      IsClosed: stage.isClosed,
      IsWon: stage.isWon,
      ForecastCategory: stage.forecastCategory.replaceAll(' ', ''),
      ForecastCategoryName: stage.forecastCategory,
      DefaultProbability: stage.probability,
      ...stamps,
    });
  }
  for (const [index, IsoCode] of currencies.entries()) {
    const IsCorporate = index === 0;
    add('CurrencyType', index + 1, {
      IsoCode,
      ConversionRate: 1,
      DecimalPlaces: 2,
      IsActive: true,
      IsCorporate,
      ...stamps,
    });
  }
  add('CurrencyType', currencies.length + 1, {
    IsoCode: 'JPY',
    ConversionRate: 150,
    DecimalPlaces: 0,
    IsActive: false,
    IsCorporate: false,
    ...stamps,
  });
  add('Organization', 1, {
    Name: 'Dealwright Demo',
    OrganizationType: 'Developer Edition',
    IsSandbox: false,
    InstanceName: 'DW0',
    DefaultLocaleSidKey: 'en_US',
    ...stamps,
  });
}

export function userValues(FirstName: string, LastName: string, IsActive: boolean): FieldValues {
  const address = `${FirstName}.${LastName}@dealwright.example`.toLowerCase();
  return {
    FirstName,
    LastName,
    Name: `${FirstName} ${LastName}`,
    Username: address,
    Email: address,
    IsActive,
    UserType: 'Standard',
  };
}

/** Salesforce stores whole seconds. Source: Object Reference, System Fields. */
export function auditStamps(nowMs: number, userId: string): FieldValues {
  const second = Math.floor(nowMs / 1000) * 1000;
  return {
    CreatedDate: second,
    CreatedById: userId,
    LastModifiedDate: second,
    LastModifiedById: userId,
    SystemModstamp: second,
  };
}
