/** What a database that nobody here wrote is to the test that publishes it. */
import type pg from 'pg';
import type { SourceTable, TableName } from '../../connectors/connector.ts';

export interface SampleDatabase {
  /** Fills an empty database; answers one line about it. */
  load(client: pg.Client, url: string): Promise<string>;
  /** Which of the discovered tables to publish, and what must be among those that are; absent: all of them. */
  choose?(client: pg.Client, discovered: SourceTable[]): Promise<Choice>;
}

export interface Choice {
  tables: TableName[];
  published(tables: TableName[]): void;
}
